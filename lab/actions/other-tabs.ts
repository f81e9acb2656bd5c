interface Erased {
  erased: string;
}

/** Tabs of this page in one browser hear each other; what other clients do is seen at the next look. */
const channel = new BroadcastChannel('ccc.lab');

/** Tells the other tabs that a session is gone. */
export function tellErased(sessionId: string): void {
  channel.postMessage({ erased: sessionId } satisfies Erased);
}

export function hearErased(run: (sessionId: string) => void): void {
  channel.onmessage = ({ data }: MessageEvent<Erased>) => {
    run(data.erased);
  };
}
