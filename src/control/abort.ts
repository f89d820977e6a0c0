/** `promise`, or a rejection with the signal's reason as soon as there is one. What the promise does later concerns nobody. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
  }
}

interface Audience {
  callbacks: Set<() => void>;
  tell: () => void;
}

const audiences = new WeakMap<AbortSignal, Audience>();

/**
 * Calls back when the signal aborts, at once where it has; returns what calls that off. However many share a signal of the caller's, it
 * gets one listener: Node takes more than 10 for a leak and prints a warning.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  const audience = audiences.get(signal) ?? gather(signal);
  audience.callbacks.add(callback);
  return () => {
    if (!audience.callbacks.delete(callback) || audience.callbacks.size > 0) return;
    audiences.delete(signal);
    signal.removeEventListener("abort", audience.tell);
  };
}

function gather(signal: AbortSignal): Audience {
  const callbacks = new Set<() => void>();
  const tell = (): void => {
    for (const callback of callbacks) callback();
  };
  const audience = { callbacks, tell };
  audiences.set(signal, audience);
  signal.addEventListener("abort", tell);
  return audience;
}
