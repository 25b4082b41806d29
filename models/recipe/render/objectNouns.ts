/**
 * Which catalogue models are used and what people would call them. A model that is not listed is not used:
 * branded cars, phones and consoles, wall sockets, doors, windows, kitchen units, ground markings, and whatever
 * has no everyday noun or does not stand by itself.
 */
const setNames = {
  Z: 'BlendSwap-CC-0',
  Y: 'BlendSwap-CC-BY',
  K: 'KatorLegaz',
  R: 'Reallusion',
  S: 'Scopia',
} as const;

/** Nouns (the first is the class noun, the others also occur in captions), weight, then the models of each set. */
type Row = [nouns: string, weight: number, models: string];

const rows: Row[] = [
  // Living things, dolls and toys
  ['dog', 5, 'Y:bulldog S:dog'],
  ['cat', 5, 'Y:siameseCat S:cat'],
  ['rabbit,bunny', 3, 'S:rabbit'],
  ['horse', 3, 'Z:horse2 Y:horse'],
  ['deer', 2, 'Z:deer'],
  ['chicken,hen', 2, 'Z:chicken'],
  ['teddy bear,stuffed animal,toy,plush toy', 3, 'Z:teddyBear'],
  ['rocking horse,toy', 2, 'Z:caballito'],
  ['toy plane,biplane,toy', 2.5, 'Z:cartoon_biplane'],
  ['toy car,toy', 3, 'Y:carrito-de-madera'],
  ['toy train,toy,train', 3, 'Y:toyTrain'],
  ['wooden toy,toy', 2, 'Z:woodToy'],
  ['xylophone,toy', 1.5, 'Y:xylophone'],
  ['doll,toy', 2.5, 'S:doll'],
  ['doll house,toy house', 1, 'S:doll-house'],
  ['snowman', 2, 'Y:bonecoDeNeve'],
  ['puzzle cube,toy,cube', 1.5, 'Y:rubix2'],
  ['man,person', 2, 'R:male01 R:male02 R:male03 R:holdingMale01 K:male-01-suit'],
  [
    'woman,person',
    2,
    'R:female01 R:female02 R:female03 R:holdingFemale01 R:holdingFemale02 R:holdingFemale03 K:female-01-casual-clothing',
  ],
  ['boy,child', 1, 'R:boyStanding'],
  ['girl,child', 1, 'R:girlStanding'],
  // Bags, shoes, clothes
  ['backpack,bag', 5, 'Y:backpack'],
  ['suitcase,luggage', 2, 'Y:suitcase'],
  ['briefcase,bag', 2, 'Z:briefcase'],
  ['handbag,bag,purse', 2.5, 'Z:handbag'],
  ['boot,shoe', 2.5, 'Z:bootie'],
  ['slippers,shoes', 1.5, 'Z:slippers'],
  ['sneakers,shoes,sneaker', 3.5, 'S:sneakers'],
  ['shoes,high heels', 2, 'S:woman_shoes'],
  ['shoe,loafer', 2, 'S:mocassin'],
  ['hat', 2, 'S:chapeau'],
  ['cap,hat,baseball cap', 2, 'S:casquette'],
  ['helmet', 2, 'S:casque'],
  ['dress', 1.5, 'S:robe'],
  ['jacket', 1.5, 'S:blouson'],
  ['shorts', 1, 'S:short-shadows'],
  ['trousers,pants', 1, 'S:pantalon-shadows'],
  ['skirt', 1, 'S:jupe S:jupe-doeskin'],
  ['glove', 1.2, 'S:gant-textured'],
  ['sunglasses,glasses', 3, 'Y:sunglasses'],
  ['glasses', 2, 'S:glasses'],
  ['watch', 2, 'S:montre-with-pose'],
  ['ring', 1.2, 'S:bague'],
  ['umbrella', 2, 'Z:umbrellaFolded Z:umbrella'],
  ['headphones', 2, 'Z:headphones'],
  // Tableware and kitchen
  ['mug,cup,coffee mug', 3.5, 'K:coffee-mug'],
  ['cup,coffee cup', 2.5, 'Z:caffe_final S:cup Z:plasticCup Y:coffee_cup'],
  ['beer mug,mug', 2, 'Z:beerGlass'],
  ['glass', 1.5, 'K:12-oz-glass K:highball-glass Y:glass'],
  ['cocktail glass,glass', 1, 'Y:cocktailGlass'],
  ['bowl', 3.5, 'S:bowl K:bowl'],
  ['bowl of fruit,fruit bowl,bowl', 2.5, 'S:bowlWithFruits'],
  ['bowl of salad,salad,bowl', 1.5, 'S:bowlWithSalad'],
  ['plate', 1.5, 'K:dinner-plate K:bread-plate'],
  ['teapot', 4, 'S:teapot'],
  ['kettle', 2, 'Y:boiler'],
  ['coffee pot,pot', 1.5, 'Y:espressokettle Y:coffeePress'],
  ['jug,pitcher', 1.5, 'S:creamer'],
  ['sugar bowl,bowl', 1, 'S:sugar'],
  ['salt shaker', 1, 'Y:saltShaker'],
  ['pan,frying pan', 1.5, 'Y:largePan'],
  ['bottle,wine bottle', 2.5, 'S:wine_bottle K:red-wine-bottle-01'],
  ['bottle,beer bottle', 2, 'Y:beer_bottle'],
  ['bottle', 1.5, 'Z:yogurtBottle Z:flacon S:com_bath'],
  ['baby bottle,bottle', 1.5, 'Z:mamadeira'],
  ['spray bottle,bottle', 1.5, 'K:spray-bottle'],
  ['milk carton,carton of milk', 1.5, 'Z:tetrapak'],
  ['vase', 5, 'S:vase1 S:vase2 S:vase3 S:jar S:vase5'],
  ['jar,clay pot,vase', 2.5, 'S:old_jar S:pottery'],
  ['blender', 1.2, 'Y:kitchenblender'],
  ['mixer', 1.2, 'Z:kitchenaid'],
  ['coffee machine,coffee maker', 2, 'Z:coffeeBrewer K:coffee-maker S:coffee_machine'],
  ['toaster', 2.5, 'S:toaster'],
  ['microwave', 1.5, 'Y:microwave'],
  ['scale,kitchen scale', 1, 'Y:kitchenScale'],
  ['bread box,box', 1, 'Y:breadBox'],
  ['oven', 1, 'Z:oven Z:doubleOven S:small-oven'],
  ['stove', 1, 'K:propane-stove Y:largeStove S:cooker'],
  ['fridge,refrigerator', 1.5, 'K:fridge Z:refrigerator Z:largeFridge'],
  ['washing machine', 1.2, 'S:clothes_washing_machine'],
  // Food
  ['bread', 1.5, 'Z:bread'],
  ['butter', 1, 'Z:butter'],
  ['cupcake,cake', 2, 'Z:cupcake'],
  ['birthday cake,cake', 2.5, 'S:birthday_cake'],
  ['hot dog', 1.5, 'Z:hotDog'],
  ['hamburger,burger', 2.5, 'Y:hamburger'],
  ['french fries,fries', 1.5, 'S:frenchFries'],
  ['roast chicken', 1.2, 'S:roasted-chicken'],
  ['steak', 1, 'S:steak'],
  ['apples,fruit', 1.5, 'S:apples'],
  // Seats
  [
    'armchair',
    6,
    'Z:armchair Z:armchair2 Z:modernArmchair Z:winchesterArmchair Y:armchair1 Y:fotel Y:armChair2 K:mid-century-chair S:armchair3 S:armchair S:armchair1 S:armchair2 S:modern_armchair S:rattanArmchair',
  ],
  [
    'chair',
    9,
    'Z:oakChair Z:plasticChair Z:sillaBlanca Z:chair Z:antiqueChair Z:chairWithCushion Z:chair2 Z:osakaChair Z:designChair Z:thonet Y:cafe_set_mota_chair Y:cafe_set_tonon_chair Y:chairWithCushion Y:childChair Y:ella_chair_f Y:leaf_chair Y:plaidChair Y:kitchenChair Y:chair3 Y:chair4 Y:classSeat K:cafe-chair K:dining-chair S:ext_chair S:silla_teca S:chair3 S:chair4 S:chair S:tubular_chair S:white_kitchen_chair S:plastic_chair S:children_chair S:ryokanChair',
  ],
  ['office chair,chair', 2.5, 'K:office-chair S:office_chair S:kids_desk_chair'],
  ['folding chair,chair', 1.5, 'Z:foldingChair Y:foldingChair'],
  ['deck chair,beach chair', 2, 'Z:deckChair S:beach_chair Z:relaxChair Y:chair_deck'],
  ['high chair', 1, 'S:baby_high_chair'],
  ['stool', 3, 'Z:silla2 Z:stool Z:stool2 Y:green_stool S:kitchen_stool'],
  ['bar stool,stool', 1.5, 'K:bar-stool S:bar_chair'],
  ['bench', 2.5, 'Z:bench K:concrete-bench K:painted-bench K:bench S:wood_bank Z:pianoBench'],
  [
    'sofa,couch',
    5,
    'Z:sofa2 Z:couch Z:winchesterSofa Y:sofa2 Y:sofa3 Y:couch3 K:futon-couch K:mid-century-sofa S:clear_sofa S:simple_sofa S:beige_sofa_2seats S:beige_sofa S:burlap_sofa S:leather_sofa S:sofa_white_beige S:rattanSofa Z:L_shaped_sofa Z:sofa Z:couch2',
  ],
  ['ottoman,pouf', 1, 'S:puff'],
  ['wheelchair', 1.2, 'Y:wheelchair'],
  // Tables, beds, storage
  [
    'table',
    4,
    'Z:oakTable Z:table Z:tableWithTablecloth Y:cafe_set_mota_table Y:cafe_set_tonon_table Y:table K:cafe-table S:ext_table S:table3 S:table4 S:white_kitchen_table S:round-table S:rattanTable S:black_table S:table-with-leaning-feet S:children_table S:bar_table',
  ],
  ['glass table,table', 1, 'K:glass-dining-table S:metal_glass_table'],
  [
    'coffee table,table',
    1.5,
    'Y:coffeeTable S:saloon_table S:coffee_table S:table_wood_and_iron S:coffee-table2',
  ],
  ['desk', 2, 'Z:desk Z:lbDesk Y:biurko3 Y:simpleDesk Y:officeTable S:kids_wooden_desk S:kids_desk_table'],
  ['nightstand,bedside table', 1.2, 'Z:bedsideTable2 Y:bedsideTable'],
  [
    'bed',
    3,
    'Z:bed1 Z:bed2 Z:bed3 Z:bedWithTexture S:bed1 S:iron_bed Y:juniorBed S:children_bed Y:lettoCloud',
  ],
  ['bunk bed,bed', 0.8, 'Y:bunkBed S:mezzanine-bed'],
  ['crib,cradle', 1, 'S:crib Z:babyRockingBed'],
  ['bookcase,bookshelf', 2, 'Z:bookcase Y:bookcase K:full-bookcase S:dining_room S:office_furniture1'],
  ['shelf,shelves', 1.2, 'Z:shelves Z:verticalShelves K:utility-shelving S:kids_shelves'],
  ['wardrobe,closet', 1.5, 'Y:wardrobe Y:wardrobe2 S:wardrobe1 Z:cupboard'],
  ['dresser,chest of drawers', 1.2, 'Y:dresserWithDrawers S:dressing-table'],
  ['chest,treasure chest', 1.5, 'Y:chest K:trunk-large'],
  ['barrel', 2, 'Z:barrel'],
  ['crate,wooden box,box', 2, 'Z:crate'],
  ['box', 2, 'Z:ammoBox Z:box'],
  ['cardboard box,box', 2, 'S:cardboard-box S:open-cardboard-box'],
  ['gift,gift box,present', 2.5, 'Y:gift'],
  ['basket', 1.5, 'S:shopping-basket'],
  [
    'trash can,bin',
    1.5,
    'Z:dustbin K:bullet-trash-can K:residential-trashcan K:park-trashcan K:recycling-bin',
  ],
  ['safe', 1.2, 'Y:sef-kasa'],
  ['filing cabinet,cabinet', 0.8, 'K:filing-cabinet'],
  // Lamps and lights
  [
    'lamp,table lamp',
    4,
    'Y:lamp S:little_lamp1 S:little_lamp2 S:little_lamp3 S:table_lamp K:pedestal-vase-lamp',
  ],
  ['floor lamp,lamp', 1.5, 'S:living_lamp S:livingroom_lamp1'],
  ['desk lamp,lamp', 3, 'Z:desklamp S:desk_lamp1 S:desk_lamp2'],
  ['lantern', 2.5, 'Z:JapaneseLantern Y:campingLamp Z:outdoorLamp'],
  ['stone lantern,lantern', 1.5, 'Z:lantern Z:stoneLantern'],
  ['street lamp,lamp post', 1.5, 'S:farola1 K:classic-lamppost S:candelabre'],
  ['candle', 4, 'S:candle S:complements2'],
  ['flashlight', 1.2, 'K:flashlight'],
  // Plants
  [
    'potted plant,plant,houseplant',
    5,
    'Z:littlePlant Z:decorativePlant Z:plant Z:augalas Y:decorativePlant Y:spider_plant Y:mediumIndoorPlant Y:spatifilum Y:yuccaPlant S:maceta S:ficus Y:luckyBamboo',
  ],
  ['succulent,plant', 1.5, 'Y:succulentPlant'],
  ['cactus', 3, 'Z:cactus'],
  ['bonsai,bonsai tree', 2, 'S:bonsai-tree'],
  ['flowers,vase of flowers', 3, 'Y:tulip Y:white_lily Y:tulips Z:orchids S:calla_lily_with_roses'],
  ['christmas tree', 3, 'S:christmas_tree'],
  ['tree', 3, 'S:acacia S:copperBeech S:japaneseMaple S:sycamoreMaple S:peachBlossom S:poplar S:ficusTree'],
  ['pine tree,tree', 2, 'S:pine S:cypress S:pineSnow S:bluePineSnow'],
  ['palm tree,palm', 2.5, 'S:coconutTree S:coconutTreeBended S:palm S:sabalPalmeto'],
  ['bush', 1, 'S:bush'],
  ['flower box', 1, 'Z:flowerBox Z:plantie'],
  ['rock,stone', 2, 'Z:rock1 Z:rock2 Z:rock3'],
  ['wood logs,firewood', 1, 'S:wood_logs'],
  // Vehicles
  ['car', 4, 'K:concept-sedan-01v2 K:concept-sedan-02 K:concept-sedan-02-sport K:concept-sedan-01v1 S:suv'],
  ['van', 1.5, 'S:van'],
  ['truck', 2, 'S:truck'],
  ['bus', 2.5, 'S:bus S:cityBus'],
  ['bicycle,bike', 3, 'Y:bike S:bicycle'],
  ['motor scooter,scooter', 2, 'K:scooter S:scooter2'],
  ['tricycle', 1.5, 'S:tricycle'],
  ['kick scooter,scooter', 1, 'S:scooter'],
  ['skateboard', 2, 'S:skateboard'],
  ['stroller', 1.2, 'S:stroller'],
  ['rowboat,boat', 2, 'Y:rowboat'],
  ['forklift', 1.2, 'Z:forkLift'],
  ['wheelbarrow', 1.2, 'Z:wheelbarrow'],
  ['lawn mower', 1, 'S:mower'],
  // Music, sport, games
  ['piano,grand piano', 2.5, 'Z:pianoAQueue Y:piano'],
  ['electric guitar,guitar', 3, 'Z:electricGuitar'],
  ['speaker', 1.5, 'Z:speaker2 Z:speaker3'],
  ['radio', 2, 'Y:radio'],
  ['basketball,ball', 2.5, 'Z:basketball'],
  ['soccer ball,ball', 2.5, 'Y:ballonFoot'],
  ['tennis racket', 1.2, 'Z:tennisRacket'],
  ['chessboard,chess board', 1.5, 'Y:chessboard'],
  ['pool table', 1, 'Z:poolTable'],
  ['punching bag', 1, 'S:punching-ball'],
  ['trampoline', 1, 'S:trampoline'],
  ['swing', 0.8, 'S:child_swing'],
  // Things
  ['cuckoo clock,clock', 2, 'Z:cuckooClock'],
  ['telephone,phone', 2, 'S:phone'],
  ['television,tv', 2, 'Z:led_tv S:tv'],
  ['laptop,computer', 2.5, 'Y:laptop'],
  ['printer', 1, 'S:inkjet_and_scanner_printer'],
  ['book', 2.5, 'Y:book'],
  ['newspaper', 1, 'K:newspaper'],
  ['scissors', 1.5, 'Z:cissors_swap'],
  ['stapler', 1, 'K:stapler'],
  ['hammer', 1.5, 'S:marteau'],
  ['drill', 1.2, 'S:perceuse-electrique'],
  ['screwdriver', 1, 'S:tournevis'],
  ['tape measure', 1, 'K:tape-measure'],
  ['keys', 1, 'S:keys'],
  ['fan', 1.8, 'Z:tableFan Z:riggedFan'],
  ['fire extinguisher', 1.8, 'Z:fireExtinguisher'],
  ['fire hydrant', 2.5, 'K:fire-hydrant'],
  ['mailbox', 2, 'Z:mofx_mailbox S:letters_box'],
  ['traffic cone,cone', 2.5, 'S:cone'],
  ['fountain', 1.5, 'Y:fountain'],
  ['tent', 2, 'S:campingTent'],
  ['dog house', 1.2, 'S:dog-house'],
  ['aquarium,fish tank', 1.5, 'S:aquarium'],
  ['toilet', 1.5, 'Z:toiletsUnit Y:toilets_unit_jay_hardy Y:modernToilet'],
  ['sink,washbasin', 1, 'Z:washbasin Y:washbasin_jay_hardy'],
  ['bathtub', 1.2, 'S:islandBath'],
  ['potty', 0.8, 'Z:potty'],
  ['lipstick', 1.2, 'Y:lipStick'],
  ['ladder,step ladder', 1.2, 'S:step-ladder-metal S:step-ladder-wood'],
  ['picture frame,frame', 1.2, 'S:frame1 S:frame2'],
  ['water cooler', 0.8, 'S:water_cooler'],
  ['grill', 0.8, 'S:stoneGrillDevice'],
];

/** Things whose colour is part of what they are; they are never repainted. */
const natural = new Set(
  (
    'dog,cat,rabbit,horse,deer,chicken,snowman,doll,man,woman,boy,girl,puzzle cube,bowl of fruit,bowl of salad,bread,butter,' +
    'cupcake,birthday cake,hot dog,hamburger,french fries,roast chicken,steak,apples,potted plant,succulent,cactus,bonsai,' +
    'flowers,christmas tree,tree,pine tree,palm tree,bush,rock,wood logs,flower box,xylophone,basketball,milk carton'
  ).split(','),
);

export interface NamedObject {
  /** `<set>/<model>` as in the catalogue. */
  id: string;
  nouns: string[];
  /** Share among all objects, already divided by the number of models that share the noun. */
  weight: number;
  natural: boolean;
}

/** The curated list; the weight of a row is spread over its models. */
export const namedObjects: NamedObject[] = rows.flatMap(([nouns, weight, models]) => {
  const ids = models.split(' ').map((word) => {
    const [set, model] = word.split(':');
    return `${setNames[set as keyof typeof setNames]}/${model}`;
  });
  return ids.map((id) => ({
    id,
    nouns: nouns.split(','),
    weight: weight / ids.length,
    natural: natural.has(nouns.split(',')[0] ?? ''),
  }));
});
