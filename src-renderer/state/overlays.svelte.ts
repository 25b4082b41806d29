/** What lies over the screens just now. */
class Overlays {
  palette = $state(false);
  shortcuts = $state(false);
  jobs = $state(false);
  newSubject = $state(false);
}

export const overlays = new Overlays();
