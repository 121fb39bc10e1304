// Opens the client, then shows the app: an account is made here if there is none.
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import init, { Client } from "lockstep";
import { Messenger } from "./Messenger.jsx";
import { SignUp } from "./SignUp.jsx";

const store = new URLSearchParams(location.search).get("store") ?? "example";

function App({ client }) {
  const [state, setState] = useState(client.state());
  useEffect(() => client.on("state", (now) => setState(now.state)), [client]);
  if (state === "new") return <SignUp client={client} />;
  if (state === "unlinked") return <p role="alert">This browser is no device of your account any more.</p>;
  return <Messenger client={client} />;
}

async function start(root) {
  try {
    await init({ module_or_path: "lockstep_bg.wasm" });
    const client = await Client.open({ relay: location.origin, store });
    root.render(<StrictMode><App client={client} /></StrictMode>);
  } catch (error) {
    root.render(<p role="alert">{error.message}</p>);
  }
}

start(createRoot(document.getElementById("root")));
