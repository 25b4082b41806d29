/** Path of the WebSocket, seen from the page. A file of its own: the page imports only this, without the validators. */
export const socketPath = '/contract';
