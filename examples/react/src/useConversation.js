// The two hooks that a messaging page needs. Each subscribes while its component is there; what they return is what the
// store holds, so there are no events to put together and nothing to fetch after a reconnect.
import { useCallback, useEffect, useRef, useState } from "react";

const LOADING = { messages: [], hasEarlier: false, isLoading: true };

/**
 * The newest messages of a conversation, oldest first, on whichever device they were written or changed.
 *
 * @param {import("lockstep").Client} client
 * @param {string} peer a handle or an account id
 * @param {{ limit?: number }} [options] how many messages at first
 */
export function useConversation(client, peer, { limit = 30 } = {}) {
  const [state, setState] = useState(LOADING);
  const subscription = useRef(null);

  useEffect(() => {
    setState(LOADING);
    const live = client.subscribe({ messages: peer, limit }, (now) => setState({ ...now, isLoading: false }));
    subscription.current = live;
    return () => {
      subscription.current = null;
      live.stop();
      live.free();
    };
  }, [client, peer, limit]);

  const loadEarlier = useCallback((count) => subscription.current?.earlier(count), []);
  const send = useCallback((text) => client.send(peer, { text }), [client, peer]);
  return { ...state, loadEarlier, send };
}

/**
 * All conversations, newest first; `null` until they are known.
 *
 * @param {import("lockstep").Client} client
 */
export function useConversations(client) {
  const [conversations, setConversations] = useState(null);
  useEffect(() => {
    const live = client.subscribe("conversations", (now) => setConversations(now.conversations));
    return () => {
      live.stop();
      live.free();
    };
  }, [client]);
  return conversations;
}
