/**
 * What the shipped model is taught: at the number of pictures that two cores can go through, a narrow model that obeys is
 * worth more than a broad one that blurs. The lists of objects, emoji and scenes hold more; `makeData.ts --everything yes` uses all.
 */

const list = (words: string): ReadonlySet<string> => new Set(words.split(',').map((word) => word.trim()));

/** Class nouns of the catalogue's models. */
export const taughtObjects = list(
  `dog,cat,rabbit,horse,snowman,sneakers,hat,cap,sunglasses,umbrella,mug,cup,bowl,teapot,vase,bottle,hamburger,
birthday cake,armchair,chair,stool,bench,sofa,table,bed,barrel,cardboard box,gift,basket,lamp,desk lamp,lantern,potted plant,
cactus,flowers,christmas tree,tree,pine tree,palm tree,rock,car,bus,truck,bicycle,motor scooter,rowboat,electric guitar,
basketball,soccer ball,book,telephone,laptop,fire hydrant,mailbox,traffic cone,tent,puzzle cube,backpack,suitcase,boot,bathtub`,
);

/** First nouns of the emoji: of each noun, the first emoji that has it. */
export const taughtEmoji = list(
  `dog,cat,lion,tiger,fox,bear,panda,elephant,pig,cow,monkey,frog,penguin,owl,fish,turtle,butterfly,dinosaur,unicorn,
ghost,robot,red heart,apple,banana,strawberry,watermelon,pizza,donut,ice cream,cupcake,rocket,plane,sailboat,train,balloon,
pumpkin,sunflower,rose,crown,star,house,castle,guitar,t-shirt`,
);

/** Keys of scenes left out: dim halls that look alike. */
export const untaughtScenes = list('mall,hall,lab,lobby,warehouse,workshop,venice,harbor,dirt,bokeh');
