/**
 * Forms of English words that a stemmer, which only looks at endings, cannot bring together: irregular verbs and
 * plurals, and common short or familiar forms. A question asks "what did she buy", the turn says "I bought". Forms
 * that are as often another word (lay, bore, ground, left as a side) are left out where the other is commoner.
 */
const IRREGULAR = `
be: am is are was were been being | become: became | begin: began begun | bite: bit bitten | blow: blew blown
break: broke broken | bring: brought | build: built | buy: bought | catch: caught | choose: chose chosen | come: came
deal: dealt | dig: dug | do: did done does | draw: drew drawn | dream: dreamt | drink: drank drunk | drive: drove driven
eat: ate eaten | fall: fell fallen | feed: fed | feel: felt | fight: fought | find: found | fly: flew flown
forget: forgot forgotten | forgive: forgave forgiven | freeze: froze frozen | get: got gotten | give: gave given
go: went gone goes | grow: grew grown | hang: hung | have: had has | hear: heard | hide: hid hidden | hold: held
keep: kept | know: knew known | lead: led | learn: learnt | leave: left | lend: lent | lose: lost | make: made
mean: meant | meet: met | pay: paid | ride: rode ridden | ring: rang rung | rise: risen | run: ran | say: said
see: saw seen | seek: sought | sell: sold | send: sent | shake: shook shaken | shine: shone | shoot: shot
show: shown | shrink: shrank shrunk | sing: sang sung | sink: sank sunk | sit: sat | sleep: slept | speak: spoke spoken
spend: spent | spring: sprang sprung | stand: stood | steal: stole stolen | stick: stuck | strike: struck
swear: swore sworn | sweep: swept | swim: swam swum | take: took taken | teach: taught | tear: tore torn | tell: told
think: thought | throw: threw thrown | understand: understood | wake: woke woken | wear: wore worn | win: won
write: wrote written
child: children | person: people | man: men | woman: women | foot: feet | tooth: teeth | goose: geese | mouse: mice
wife: wives | life: lives | knife: knives | half: halves | leaf: leaves | shelf: shelves | datum: data | analysis: analyses
`;

const FAMILIAR = `
mother: mom mum mommy mummy mama | father: dad daddy papa | grandmother: grandma granny nana | grandfather: grandpa granddad
child: kid kids | family: fam | business: biz | birthday: bday | favorite: fave fav favourite | photograph: photo pic picture
bicycle: bike | television: tv telly | movie: film | advertisement: ad advert | refrigerator: fridge | vacation: holiday
university: uni college | veterinarian: vet | education: edu | color: colour | gray: grey | neighbor: neighbour
center: centre | theater: theatre | program: programme | okay: ok | application: app | laboratory: lab
mathematics: math maths | repository: repo | configuration: config | database: db | documentation: docs
`;

/** Form → the word it is counted as. */
export const WORD_FORMS: ReadonlyMap<string, string> = readForms(IRREGULAR + FAMILIAR);

function readForms(list: string): Map<string, string> {
  const forms = new Map<string, string>();
  for (const entry of list.split(/[|\n]/)) {
    const [base, others] = entry.split(':').map((side) => side.trim());
    for (const form of others?.split(' ') ?? []) forms.set(form, base ?? form);
  }
  return forms;
}
