export const palette = {
  placeholder: 'A screen, an action, a subject, a run, a prompt',
  found: 'Found',
  go: (screen: string) => `Go to ${screen}`,
  jobs: 'Show jobs',
  favourites: 'Show favourites',
  theme: (name: string) => `Switch to ${name.toLowerCase()} colours`,
  tour: 'Start the tour again',
  subject: (name: string) => `Subject: ${name}`,
  run: (name: string, subject: string) => `Run: ${subject} · ${name}`,
  prompt: (prompt: string) => `Prompt: ${prompt}`,
  search: (text: string) => `Search pictures for “${text}”`,
};
