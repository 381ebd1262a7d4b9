"""The two lists behind check words: 256 short adjectives, 256 short nouns.

Four letters tell any two of a list apart, and no word stands in both. The order is part of the
protocol: both ends must have the same word at the same place, so it never changes.
"""

from __future__ import annotations

_ADJECTIVES = """
able active agile amber ample aqua arid ashen azure balmy bamboo basic beige blank blithe blue
bold bonny brass brave brief brisk bronze bubbly busy calm candid cedar chalky chilly civic
clean clever cobalt cold cosy cotton crisp cubic curly cyan daily dapper dawn deep deft desert
dewy direct domed downy dry dual dusky dusty eager early easy ebony elder equal even exact
fabled fair fancy fast fern fine firm first flat fleet flint floral fluent fluffy foggy forest
frank free fresh frosty giant gilded glad glassy glossy good grand great green grey handy happy
hardy hazel hearty heavy high honest hushed icy ideal inland inner ivory jade jolly jovial jumbo
keen kind lapis large last late leafy lean level light lilac lime linen local lofty lone long
loud loyal lucid lucky lunar main major maroon mellow mild minor mint misty mobile mossy muted
narrow native navy neat nimble noble novel oaken ochre olive opal open orange outer oval paper
peach pewter pink plaid plucky plush polar prime proud pure purple quaint quick quiet rapid rare
ready red regal rich ripe robust rocky rosy round royal ruby runic russet sable sage salty sandy
satin serene shady sharp shiny short simple sleek slim smart snowy social soft solar solid sonic
speedy spicy spry square stable steel still stone stormy stout strong sturdy sudden sunny superb
sure swift tall tame tangy tawny teal thin tidal tidy tiny topaz trim true twin upper vast vivid
warm wavy waxen white whole wide wild windy wise witty woolly zany zesty zigzag
"""

_NOUNS = """
abbey acorn agate album alder anvil apple apron arbor arch arrow aspen aster atlas attic bagel
banjo barn basin beach bean beech bell bench berry birch bison book boot bow bread brook bugle
bush cabin cake camel canoe cape cargo carpet cart cello chair chess cider clam clay cliff clock
cloud coast comet coral crane crater crow cup daisy delta desk dial dingo door dove drum duck
dune eagle easel echo eel egret elk elm ember emu falcon fawn field fig finch fjord flag flame
flask flute fossil fox frog gate gecko globe glove goblet goose gorge grape grove gull hammer
harp hat hawk hedge heron hill hinge holly horn horse house hut ibex ibis igloo iris ivy jay
jetty kayak key kite kiwi koala lake lamp larch lark lasso leaf lemon lemur lily lion llama lock
loom lotus lute lynx lyre mango manor maple mast meadow medal melody mill moon moose moss moth
mural nest newt oasis oboe ocean onion opera orbit osprey otter owl palace palm panda parcel
path pear pecan peony petal piano pilot pine plaza plum poem polka pond pony poppy porch prism
quail quill raft rain ranch raven reed reef ridge river robin root rope rose sail scarf seal
shelf ship shore shrub skate sky slate sled snail snow sofa spire spoon stairs star steam stork
stove sugar swan table tapir tent thyme tiger toast torch toucan tower trail tram tree trout
tulip vale vase vine viola wagon wave whale wharf wheat wheel wolf wood wren yacht yak yarn
zebra zinnia
"""

ADJECTIVES = tuple(_ADJECTIVES.split())
NOUNS = tuple(_NOUNS.split())
