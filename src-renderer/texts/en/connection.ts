export const connection = {
  lost: 'The connection to the studio was lost; what runs there goes on. Try again in a moment.',
  waiting: 'The studio does not answer; trying again. What runs there goes on.',
};
