/** Loaded into a Node process (`--require`): on SIGUSR2 writes the longest blocks of its event loop since the last time, in ms, to LOOP_DELAYS. */
const { writeFileSync } = require('node:fs');

// A timer that comes late by more than 10 ms was kept waiting; monitorEventLoopDelay tells the longest, but not how many there were.
const every = 5;
let blocks = [];
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  const late = now - last - every;
  if (late > 10) blocks.push(Math.round(late));
  last = now;
}, every).unref();

process.on('SIGUSR2', () => {
  writeFileSync(process.env.LOOP_DELAYS, JSON.stringify(blocks.sort((a, b) => b - a)));
  blocks = [];
});
