// One conversation: its messages, and a line to write in. What is shown is read.
import { useEffect, useRef, useState } from "react";
import { useConversation } from "./useConversation.js";

const INSTEAD = { deleted: "Message deleted", waiting: "Waiting for a message", unreadable: "This message can't be read", timer: "Disappearing messages were changed" };

function Message({ message }) {
  const { kind, text, outgoing, reactions, earlier, status } = message;
  const notes = [earlier.length > 0 && "edited", ...reactions.map(({ emoji }) => emoji), outgoing && status].filter(Boolean);
  return (
    <li className={outgoing ? "mine" : "theirs"} data-kind={kind}>
      <p>{kind === "text" ? text : INSTEAD[kind]}</p>
      {notes.length > 0 && <small>{notes.join(" ")}</small>}
    </li>
  );
}

export function Conversation({ client, peer, onBack }) {
  const { messages, hasEarlier, isLoading, loadEarlier, send } = useConversation(client, peer);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const end = useRef(null);
  const last = messages.at(-1);
  const theirs = messages.findLast(({ outgoing }) => !outgoing);

  useEffect(() => {
    end.current?.scrollIntoView({ block: "end" });
  }, [last?.id]);
  useEffect(() => {
    if (theirs) client.markRead(theirs.conversation, theirs.id).catch((error) => setProblem(error.message));
  }, [client, theirs?.id]);

  async function submit(event) {
    event.preventDefault();
    if (!text.trim()) return;
    setProblem("");
    try {
      await send(text);
      setText("");
    } catch (error) {
      setProblem(error.message);
    }
  }

  return (
    <main>
      <button className="back" onClick={onBack}>All conversations</button>
      <div className="messages" role="log" aria-busy={isLoading}>
        {hasEarlier && <button onClick={() => loadEarlier(30)}>Earlier messages</button>}
        <ol>{messages.map((message) => <Message key={message.id} message={message} />)}</ol>
        <div ref={end} />
      </div>
      {problem && <p role="alert">{problem}</p>}
      <form onSubmit={submit}>
        <label htmlFor="text" className="hidden">Message</label>
        <input id="text" value={text} onChange={(event) => setText(event.target.value)} placeholder="Message" autoComplete="off" autoFocus />
        <button>Send</button>
      </form>
    </main>
  );
}
