import { plural } from './plural.ts';

export const shell = {
  skip: 'Skip to content',
  navigation: 'Main',
  subject: 'Subject you work with',
  palette: 'Find and do',
  find: 'Find',
  news: 'News',
  jobs: (open: number) => (open === 0 ? 'Jobs' : `Jobs: ${plural(open, 'is', 'are')} not done`),
};
