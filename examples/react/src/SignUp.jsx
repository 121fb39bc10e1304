// Makes an account. A real app gives the platform's token as `credential`.
import { useState } from "react";

export function SignUp({ client }) {
  const [handle, setHandle] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setIsBusy] = useState(false);

  async function register(event) {
    event.preventDefault();
    setIsBusy(true);
    setProblem("");
    try {
      await client.register({ handle: handle.trim(), deviceName: "React example" });
    } catch (error) {
      setProblem(error.message);
    }
    setIsBusy(false);
  }

  return (
    <form className="sign-up" onSubmit={register}>
      <h1>Messages</h1>
      <label htmlFor="handle">Your handle</label>
      <input id="handle" value={handle} onChange={(event) => setHandle(event.target.value)} autoComplete="username" required />
      <button disabled={isBusy}>{isBusy ? "One moment" : "Sign up"}</button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}
