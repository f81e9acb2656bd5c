const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i;

/** Whether an address to listen on is this machine's own, which no other can reach. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);
