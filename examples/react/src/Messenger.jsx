// Conversations on one side, the chosen one on the other.
import { useState } from "react";
import { Conversation } from "./Conversation.jsx";
import { useConversations } from "./useConversation.js";

export function Messenger({ client }) {
  const conversations = useConversations(client);
  const [peer, setPeer] = useState(null);
  const [handle, setHandle] = useState("");

  function begin(event) {
    event.preventDefault();
    if (handle.trim()) setPeer(handle.trim());
    setHandle("");
  }

  return (
    <div className="messenger" data-open={peer !== null}>
      <nav aria-label="Conversations">
        <form onSubmit={begin}>
          <label htmlFor="to">Write to</label>
          <input id="to" value={handle} onChange={(event) => setHandle(event.target.value)} placeholder="handle" />
        </form>
        <ul>
          {conversations?.map(({ id, name, unread, lastMessage }) => (
            <li key={id}>
              <button aria-current={peer === id} onClick={() => setPeer(id)}>
                <strong>{name}</strong>
                {unread > 0 && <span className="unread" aria-label={`${unread} unread`}>{unread}</span>}
                <span className="preview">{lastMessage?.text}</span>
              </button>
            </li>
          ))}
        </ul>
        {conversations?.length === 0 && <p className="hint">Nobody has written yet.</p>}
      </nav>
      {peer ? <Conversation key={peer} client={client} peer={peer} onBack={() => setPeer(null)} /> : <p className="hint">Choose a conversation, or write to somebody.</p>}
    </div>
  );
}
