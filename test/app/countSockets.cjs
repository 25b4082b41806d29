/**
 * Loaded into a Node process (`--require`), writes every address that it connects or sends to into the file that SOCKETS_SEEN names.
 * Sits below everything that Node itself and the program's lock do: at the system's own sockets.
 */
const { appendFileSync } = require('node:fs');

const file = process.env.SOCKETS_SEEN;
const tell = (what, address) =>
  appendFileSync(file, `${JSON.stringify({ pid: process.pid, what, address })}\n`);
const watch = (prototype, name, place) => {
  const before = prototype[name];
  if (!before) return;
  prototype[name] = function (...words) {
    tell(name, words[place]);
    return before.apply(this, words);
  };
};

const { TCP } = process.binding('tcp_wrap');
watch(TCP.prototype, 'connect', 1);
watch(TCP.prototype, 'connect6', 1);
const { UDP } = process.binding('udp_wrap');
for (const name of ['send', 'send6']) watch(UDP.prototype, name, 4);
for (const name of ['connect', 'connect6']) watch(UDP.prototype, name, 0);
tell('loaded', null);
