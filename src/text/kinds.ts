import { stem } from './stem.ts';

/**
 * Words that name a kind of thing, and common things of that kind. A question asks "which pets" or "what country"; the
 * turn that answers says "my cat" or "in Spain", and shares no word with it. English, everyday words only, written for
 * this project from general knowledge. A member that is usually something else ("may", "china" the ware) is left out
 * where it would mislead more than help.
 */
const KINDS = `
pet animal: dog puppy cat kitten fish hamster rabbit bird parrot turtle tortoise snake lizard horse pony guinea gecko mouse
instrument music musical: guitar piano violin viola cello drum flute clarinet saxophone trumpet trombone ukulele keyboard harp banjo oboe
sport athletic: football soccer basketball baseball tennis golf hockey volleyball cricket rugby swim run marathon surf ski snowboard climb boxing cycling rowing badminton
exercise workout fitness: gym yoga run jog swim bike hike weights lift pilates boxing stretch squat cardio
martial: karate judo taekwondo kickboxing boxing jujitsu aikido kung wrestling fencing
food dish meal cuisine snack cook recipe: pizza pasta soup salad bread cheese chicken beef pork fish rice sushi taco burger sandwich curry noodle egg stew steak pancake
dessert sweet baking treat: cake cookie pie brownie chocolate ice cream candy cupcake pudding donut muffin tart pastry
drink beverage: coffee tea wine beer juice soda smoothie cocktail milk water lemonade whisky
fruit: apple banana orange pear peach grape strawberry blueberry cherry mango lemon melon
vegetable: carrot potato tomato onion spinach broccoli cabbage pepper bean pea
country abroad: america england scotland france germany italy spain japan india canada mexico brazil argentina australia sweden norway denmark finland ireland greece portugal netherlands belgium switzerland austria poland russia ukraine egypt morocco kenya thailand vietnam korea indonesia philippines peru chile colombia cuba
european europe: england scotland france germany italy spain sweden norway denmark finland ireland greece portugal netherlands belgium switzerland austria poland
city town: paris london rome tokyo york chicago boston seattle miami barcelona berlin madrid lisbon vienna prague amsterdam toronto sydney dublin austin denver edinburgh istanbul beijing seoul mumbai
state: california florida texas washington oregon arizona nevada colorado michigan georgia ohio minnesota virginia alaska hawaii illinois massachusetts
color: red blue green yellow purple pink orange black white brown gray gold silver
family relative: mother father sister brother son daughter wife husband aunt uncle cousin grandmother grandfather child niece nephew parent
sibling: brother sister twin
vehicle transport: car bus train bicycle truck plane boat motorcycle van ship tram
clothing clothes outfit wear: shirt dress shoe hat jacket coat pants jeans sweater hoodie skirt boot scarf sock
job career profession occupation work: teacher doctor nurse engineer lawyer manager artist writer actor counselor chef banker designer programmer developer scientist accountant architect plumber farmer journalist
hobby activity interest pastime leisure: paint draw read write cook bake hike camp swim run garden dance sing photograph game pottery knit fish yoga travel climb surf
art artistic creative craft: paint draw sculpture pottery photograph sketch portrait canvas gallery knit sewing
outdoor nature: hike camp climb fish kayak bicycle trail mountain beach forest lake park garden picnic
game: video board card chess puzzle console tournament
genre: fantasy romance mystery horror thriller drama comedy action fiction
weather: rain snow storm sun wind cold hot cloud fog
health illness medical sick injury: doctor hospital pain disease allergy surgery therapy medicine ankle knee diagnosis flu fever stomach asthma
allergy allergic: peanut nut pollen dust dairy shellfish gluten
emotion feeling mood feel: happy sad angry scared excited nervous proud anxious grateful lonely upset
relax stress: therapy yoga meditate calm peace walk bath massage
holiday celebration: christmas thanksgiving easter halloween birthday wedding anniversary party
disaster: flood fire earthquake hurricane storm tornado
device gadget electronics technology: phone laptop computer camera tablet television headphone console
language: english spanish french german italian japanese chinese russian arabic portuguese
place location: park beach museum restaurant cafe school church mountain lake city country
religion religious spiritual faith: church god pray bible temple mosque christian jewish muslim buddhist hindu
education degree study: university class course exam teacher student graduate diploma
relationship dating romantic: single married divorced boyfriend girlfriend husband wife partner breakup engaged
finance financial money: job rent debt bank loan save pay income afford budget salary
plant flower: rose tulip sunflower lily daisy orchid tree garden cactus basil
charity community: shelter donate homeless fundraiser help volunteer
politics political government: election vote campaign rights law policy conservative liberal senator party
military: army navy veteran soldier
award achievement: trophy medal prize win certificate champion
furniture: chair table bed sofa desk couch lamp shelf
movie: film series actor watch netflix cinema
book author: novel story read fiction library
band concert musician: song sing album festival guitar
programming code: python javascript typescript java rust golang ruby php kotlin swift
database: sqlite postgres postgresql mysql mongodb redis duckdb
`;

const MEMBERS = readKinds();

/** Terms of things of the kind that this term names; none when it names no kind. */
export function membersOfKind(term: string): readonly string[] {
  return MEMBERS.get(term) ?? [];
}

function readKinds(): Map<string, string[]> {
  const kinds = new Map<string, string[]>();
  for (const line of KINDS.trim().split('\n')) {
    const [names = '', members = ''] = line.split(':');
    const terms = members.trim().split(' ').map(stem);
    for (const name of names.trim().split(' ').map(stem)) {
      kinds.set(name, [...new Set([...(kinds.get(name) ?? []), ...terms])]);
    }
  }
  return kinds;
}
