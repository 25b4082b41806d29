export const connection = {
  lost: 'The connection to the studio was lost. Jobs keep running; try again in a moment.',
  waiting: 'The studio is not answering. Reconnecting… Jobs keep running.',
};
