export const tour = {
  name: 'Tour',
  title: 'Teach it your subject.',
  lead: 'Give Likeness a few photos of your dog, your mug, your grandmother’s vase. On this machine, it learns what sets it apart, and then draws it wherever you like. Nothing leaves the machine.',
  sample: 'Try it with a potted plant',
  own: 'Start with my own photos',
  sampleAbout:
    'Five photos are included. It is a real run: it takes a few minutes, and the result is yours to keep.',
  steps: [
    { title: 'Photos', text: 'Four to six, from different sides. Likeness tells you which ones to change.' },
    {
      title: 'Train',
      text: 'One button. You see the time and memory it needs beforehand, and samples while it learns.',
    },
    {
      title: 'Pictures',
      text: 'Write what you want to see. Keep favourites, compare, take the weights anywhere.',
    },
  ],
  place: (place: number, count: number) => `${place} of ${count}`,
  leave: 'Leave the tour',
  stages: {
    photos: {
      title: 'The photos.',
      text: 'These are five photos of a potted plant. Each has been checked. If one had a problem, it would say what to do.',
      action: 'Go to training',
    },
    train: {
      title: 'Train.',
      text: 'Choose Quick and press the button. The time and memory shown are for this machine.',
      action: 'Go to training',
    },
    wait: {
      title: 'It learns.',
      text: 'Samples appear as it goes. Feel free to look around.',
      action: 'Watch it',
    },
    generate: {
      title: 'Make pictures.',
      text: 'The trained run is selected and the prompt names the plant. Add a place or a style, then press the button.',
      action: 'Make pictures',
    },
    end: {
      title: 'That’s all there is to it.',
      text: 'Your pictures are in the gallery, each with its recipe. The included model is there to practise with; Models has sharper ones. Next, try something of yours.',
      action: 'Go to the gallery',
    },
  },
};
