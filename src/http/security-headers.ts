import helmet from 'helmet';
import type { Step } from './in-order.ts';

/**
 * Headers of every answer. The page may load its own scripts, styles and pictures and call this server, and nothing
 * else; model text cannot become markup (Trusted Types), and no other page may frame it.
 */
export function securityHeaders(): Step {
  const forPages = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        workerSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
      },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    // Plain HTTP on a person's own machine: a promise of HTTPS would lock the browser out.
    strictTransportSecurity: false,
  });
  return (req, res, next) => {
    if (req.url?.startsWith('/v1/') !== true) {
      forPages(req, res, next);
      return;
    }
    // What comes through is data and never a page of ours, whatever the upstream calls it. The rest of the headers is
    // about pages, and would cost each request on this path some microseconds.
    res.setHeader('content-security-policy', "default-src 'none'; sandbox; frame-ancestors 'none'");
    res.setHeader('cross-origin-resource-policy', 'same-origin');
    res.setHeader('x-content-type-options', 'nosniff');
    next();
  };
}
