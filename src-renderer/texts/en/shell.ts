export const shell = {
  skip: 'Skip to content',
  navigation: 'Main',
  subject: 'Current subject',
  palette: 'Command menu',
  find: 'Find',
  news: 'Notifications',
  jobs: (open: number) => (open === 0 ? 'Jobs' : `Jobs (${open.toLocaleString('en')} open)`),
};
