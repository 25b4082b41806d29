export const tour = {
  name: 'Tour',
  title: 'Teach it your subject.',
  lead: 'Give Likeness a few photos of your dog, your mug, your grandmother’s vase. It learns what makes it that one, on this machine, and draws it wherever you like. Nothing leaves the machine.',
  sample: 'Try it with a teddy bear',
  own: 'Start with my own photos',
  sampleAbout: 'Five photos come along. It is a real run: a few minutes, and the result is yours to keep.',
  steps: [
    { title: 'Photos', text: 'Four to six, from different sides. Likeness says which ones to change.' },
    {
      title: 'Train',
      text: 'One button. Minutes and memory are told beforehand; samples appear as it learns.',
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
      text: 'These are five photos of a teddy bear. Each was checked; a mark would say what to do.',
      action: 'Go on to training',
    },
    train: {
      title: 'Train.',
      text: 'Choose Quick and press the button. Minutes and memory are those of this machine.',
      action: 'To training',
    },
    wait: {
      title: 'It learns.',
      text: 'Samples appear as it goes. You may look around meanwhile.',
      action: 'Watch it',
    },
    generate: {
      title: 'Make pictures.',
      text: 'The run is in the mix and the prompt names the bear. Add a place or a style, and press the button.',
      action: 'Make pictures',
    },
    end: {
      title: 'That is all there is to it.',
      text: 'Your pictures are in the gallery, each with its recipe. Now something of yours?',
      action: 'To the gallery',
    },
  },
};
