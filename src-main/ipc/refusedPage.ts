import { createHash } from 'node:crypto';
import { securityHeaders } from './headers.ts';

/** Colours of src-renderer/styles/tokens.css, which is not served to a refused browser. */
const style = `
:root { color-scheme: light dark; --paper: light-dark(#f6f4f0, #171614); --sheet: light-dark(#fffefc, #1f1e1b);
  --line: light-dark(#ddd8ce, #34312c); --line-strong: light-dark(#857f74, #7c766b); --ink: light-dark(#1e1c19, #ece8e0);
  --ink-soft: light-dark(#5b564d, #aca69a); --accent: light-dark(#9c3f17, #f0a45c); }
body { display: grid; place-items: center; min-height: 100vh; margin: 0; padding: 1.5rem; box-sizing: border-box; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 32rem; }
.brand { display: flex; align-items: center; gap: 0.5rem; font-weight: 650; }
.mark { position: relative; width: 1.25rem; height: 1.25rem; }
.mark::before, .mark::after { content: ''; position: absolute; width: 0.75rem; height: 0.95rem; border-radius: 2px;
  border: 1.5px solid var(--line-strong); }
.mark::after { right: 0; bottom: 0; border: 0; background: var(--accent); }
h1 { margin: 2rem 0 0.75rem; font-size: 2rem; line-height: 1.15; letter-spacing: -0.03em; }
p { margin: 0 0 0.75rem; }
code { padding: 0.1rem 0.35rem; border: 1px solid var(--line); border-radius: 4px; background: var(--sheet); font-size: 0.9em; }
.soft { color: var(--ink-soft); font-size: 0.875rem; }
`;
const styleHash = createHash('sha256').update(style).digest('base64');

/** The page for a refused browser: what happened, and the way back. `why` is shown as text. */
export function refusedPage(why: string): {
  readonly headers: Record<string, string>;
  readonly body: string;
} {
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Likeness is locked</title><style>${style}</style></head>
<body><main>
<div class="brand" aria-hidden="true"><span class="mark"></span>Likeness</div>
<h1>This browser needs the address again</h1>
<p>Only browsers that were opened with the address that Likeness prints when it starts may see your photos. That address holds a key.</p>
<p>Go to the window in which Likeness runs and open the address that stands there. If it is gone, start Likeness again with <code>npm start</code> or <code>likeness serve</code>.</p>
<p class="soft">Nothing was lost: photos, runs and pictures are where they were. (Refused: ${why}.)</p>
</main></body>
</html>
`;
  return {
    headers: {
      ...securityHeaders(''),
      'Content-Security-Policy': policy,
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
    },
    body,
  };
}
