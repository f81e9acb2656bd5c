/** What there is to see for everyone: whether the server is alive, and the page, which holds nobody's data. */
const OPEN = /^\/(?:health(?:\/ready)?|resonant_loop_lab\.html|icon\.svg|assets\/[^?]*)?(?:\?|$)/;

/** Whether a request asks for something that costs nothing and tells nothing of anybody. */
export function isOpen(method: string, url: string): boolean {
  return (method === 'GET' || method === 'HEAD') && OPEN.test(url);
}
