export const palette = {
  placeholder: 'Search for a screen, action, subject, run or prompt',
  found: 'Results',
  go: (screen: string) => `Go to ${screen}`,
  jobs: 'Show jobs',
  favourites: 'Show favourites',
  theme: (name: string) => `Use ${name.toLowerCase()} colours`,
  tour: 'Restart the tour',
  subject: (name: string) => `Subject: ${name}`,
  run: (name: string, subject: string) => `Run: ${subject} · ${name}`,
  prompt: (prompt: string) => `Prompt: ${prompt}`,
  search: (text: string) => `Search pictures for “${text}”`,
};
