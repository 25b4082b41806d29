export const connection = {
  error: 'Likeness is not answering, so this was not done. Try again once it is back.',
  lost: {
    title: 'Likeness is not answering',
    text: 'If it was closed, start it again: this page then continues by itself. What is finished is safe, and jobs go on where they were.',
  },
  locked: {
    title: 'Likeness was started again and does not know this browser',
    text: 'Open the address that it printed when it started, here or in another tab: this page then continues by itself. Nothing is lost.',
  },
};
