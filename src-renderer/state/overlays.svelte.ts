/** Which overlays are open. */
class Overlays {
  palette = $state(false);
  shortcuts = $state(false);
  jobs = $state(false);
  newSubject = $state(false);
}

export const overlays = new Overlays();
