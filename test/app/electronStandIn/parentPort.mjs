/** `node --import …/parentPort.mjs`: a utility process has a port to its parent, and no channel as Node's children have. */
import { EventEmitter } from 'node:events';

const send = process.send?.bind(process);
const port = new EventEmitter();
port.postMessage = (message) => send?.(message);
// What comes before anyone listens waits.
const early = [];
const deliver = (data) => port.emit('message', { data, ports: [] });
process.on('message', (data) => (port.listenerCount('message') > 0 ? deliver(data) : early.push(data)));
port.on('newListener', (name) => {
  if (name === 'message') setImmediate(() => early.splice(0).forEach(deliver));
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send = undefined;
process.parentPort = port;
