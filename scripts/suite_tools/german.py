"""German: facts and grammar. The grammar is that of textbooks; the tables hold each form in full."""

from __future__ import annotations

import random
from itertools import pairwise

from suite_tools.lines import Ask, names, others, pairs, related, rows

CAPITALS = pairs("""
    Frankreich: Paris; Italien: Rom; Spanien: Madrid; Portugal: Lissabon; Österreich: Wien; Polen: Warschau;
    Ungarn: Budapest; Griechenland: Athen; Schweden: Stockholm; Norwegen: Oslo; Dänemark: Kopenhagen;
    Finnland: Helsinki; Irland: Dublin; Belgien: Brüssel; Russland: Moskau; Japan: Tokio; China: Peking; Ägypten: Kairo;
    Kanada: Ottawa; Kuba: Havanna; Tschechien: Prag; Deutschland: Berlin; England: London; Bulgarien: Sofia;
    Rumänien: Bukarest
""")
OPPOSITES = pairs("""
    groß: klein; alt: jung; warm: kalt; hell: dunkel; schnell: langsam; laut: leise; reich: arm; lang: kurz;
    gut: schlecht; voll: leer; schwer: leicht; nass: trocken; hoch: niedrig; breit: schmal; dick: dünn; stark: schwach;
    früh: spät; sauber: schmutzig; richtig: falsch; offen: geschlossen; süß: sauer; teuer: billig; krank: gesund;
    glücklich: traurig; oben: unten; links: rechts; innen: außen; immer: nie; alles: nichts; fleißig: faul
""")
CLASSES = pairs("""
    Der Apfel: Obst; Die Karotte: Gemüse; Der Hammer: Werkzeug; Der Stuhl: Möbelstück; Die Rose: Blume; Die Eiche: Baum;
    Die Geige: Instrument; Das Hemd: Kleidungsstück; Der Montag: Wochentag; Der März: Monat; Der Adler: Vogel;
    Die Forelle: Fisch; Die Ameise: Insekt; Das Gold: Metall; Der Fußball: Sport; Der Bus: Fahrzeug; Die Milch: Getränk;
    Das Dreieck: Form; Der Winter: Jahreszeit; Die Donau: Fluss
""")
FACTS = rows("""
    Eine Woche hat sieben|Tage|Stunden|Monate|Jahre
    Ein Jahr hat zwölf|Monate|Tage|Wochen|Stunden
    Eine Stunde hat sechzig|Minuten|Tage|Sekunden|Wochen
    Im Winter fällt oft|Schnee|Sand|Obst|Papier
    Die Sonne geht im Osten|auf|unter|an|aus
    Die Sonne geht im Westen|unter|auf|an|vor
    Bienen machen|Honig|Käse|Brot|Wolle
    Von der Kuh bekommen wir|Milch|Eier|Honig|Seide
    Hühner legen|Eier|Milch|Steine|Wolle
    Der Bäcker backt|Brot|Fleisch|Schuhe|Uhren
    Der Arzt hilft den|Kranken|Steinen|Häusern|Büchern
    Der Lehrer arbeitet in der|Schule|Bäckerei|Fabrik|Küche
    Bücher kann man ausleihen in der|Bibliothek|Bäckerei|Apotheke|Garage
    Medikamente kauft man in der|Apotheke|Schule|Kirche|Bibliothek
    Mit den Augen kann man|sehen|hören|riechen|laufen
    Mit den Ohren kann man|hören|sehen|schmecken|gehen
    Mit der Nase kann man|riechen|hören|sehen|greifen
    Ein Hund hat vier|Beine|Augen|Ohren|Nasen
    Ein Auto hat vier|Räder|Motoren|Fahrer|Lenkräder
    Das Gras ist|grün|blau|rosa|lila
    Der Himmel ist bei gutem Wetter|blau|grün|braun|rosa
    Frischer Schnee ist|weiß|rot|schwarz|grün
    Eine Zitrone schmeckt|sauer|laut|salzig|schnell
    Zucker schmeckt|süß|bitter|sauer|scharf
    Das Meer ist voller|Wasser|Milch|Sand|Luft
    Fische leben im|Wasser|Wald|Feuer|Himmel
    Vögel haben zwei|Flügel|Räder|Hörner|Rüssel
    Der Elefant hat einen langen|Rüssel|Flügel|Hals|Schnabel
    Die Giraffe hat einen langen|Hals|Rüssel|Schnabel|Flügel
    Nach dem Montag kommt der|Dienstag|Freitag|Sonntag|Donnerstag
    Nach dem Freitag kommt der|Samstag|Montag|Mittwoch|Dienstag
    Vor dem Mittwoch kommt der|Dienstag|Freitag|Sonntag|Samstag
    Der erste Monat des Jahres ist der|Januar|März|Juli|Dezember
    Der letzte Monat des Jahres ist der|Dezember|Januar|Mai|August
    Auf den Frühling folgt der|Sommer|Winter|Herbst|Januar
    Auf den Herbst folgt der|Winter|Sommer|Frühling|August
    Weihnachten feiert man im|Dezember|Juli|Mai|September
    Der Schlüssel öffnet die|Tür|Suppe|Blume|Straße
    Mit dem Messer kann man|schneiden|telefonieren|schwimmen|lesen
    Suppe isst man mit dem|Löffel|Messer|Bleistift|Hammer
    Wenn es regnet, braucht man einen|Regenschirm|Bleistift|Teller|Koffer
    Wenn man müde ist, geht man ins|Bett|Kino|Büro|Wasser
    Wenn man Hunger hat, will man|essen|schlafen|lesen|fliegen
    Wenn man Durst hat, will man|trinken|lesen|rechnen|singen
    Ein Flugzeug fliegt in der|Luft|Erde|Küche|Tasche
    Ein Schiff fährt auf dem|Wasser|Dach|Feld|Tisch
    Der Zug hält am|Bahnhof|Himmel|Teller|Brunnen
    Das Flugzeug landet auf dem|Flughafen|Bahnhof|Dachboden|Friedhof
    Die Mutter meiner Mutter ist meine|Großmutter|Tante|Schwester|Tochter
    Der Bruder meines Vaters ist mein|Onkel|Neffe|Großvater|Sohn
    Der Sohn meiner Tante ist mein|Cousin|Bruder|Vater|Onkel
    Zwei plus drei ist|fünf|sechs|vier|neun
    Zehn minus vier ist|sechs|fünf|acht|drei
    Drei mal drei ist|neun|sechs|zwölf|acht
    Die Hälfte von zwanzig ist|zehn|fünf|vierzig|zwölf
    Das Gegenteil von Tag ist|Nacht|Morgen|Woche|Licht
    Das Gegenteil von Krieg ist|Frieden|Kampf|Sieg|Streit
    Das Gegenteil von Anfang ist|Ende|Beginn|Mitte|Start
    Wien liegt in|Österreich|Frankreich|Spanien|Polen
    Zürich liegt in|der Schweiz|Dänemark|Italien|Ungarn
    München liegt in|Deutschland|Portugal|Schweden|Norwegen
    Mailand liegt in|Italien|Finnland|England|Griechenland
    Der Rhein ist ein|Fluss|Berg|See|Wald
    Die Alpen sind ein|Gebirge|Meer|Fluss|Dorf
    Der Mond kreist um die|Erde|Sonne|Wolke|Venus
    Wasser wird bei null Grad zu|Eis|Dampf|Sand|Öl
    Aus Trauben macht man|Wein|Bier|Käse|Brot
    Aus Milch macht man|Käse|Wein|Brot|Papier
    Aus Holz macht man|Papier|Glas|Eisen|Butter
    Aus Mehl und Wasser macht man|Brot|Käse|Wein|Glas
""")
# singular with its article; plural; the noun's accusative article follows from the gender
NOUNS = rows("""
    der|Hund|Hunde
    der|Tisch|Tische
    der|Baum|Bäume
    der|Apfel|Äpfel
    der|Stuhl|Stühle
    der|Brief|Briefe
    der|Zug|Züge
    der|Schuh|Schuhe
    der|Garten|Gärten
    der|Vogel|Vögel
    der|Ball|Bälle
    der|Freund|Freunde
    der|Berg|Berge
    der|Stein|Steine
    der|Sohn|Söhne
    die|Katze|Katzen
    die|Blume|Blumen
    die|Lampe|Lampen
    die|Tür|Türen
    die|Uhr|Uhren
    die|Tasche|Taschen
    die|Stadt|Städte
    die|Straße|Straßen
    die|Frau|Frauen
    die|Schule|Schulen
    die|Hand|Hände
    die|Maus|Mäuse
    die|Tochter|Töchter
    die|Schwester|Schwestern
    die|Wand|Wände
    das|Haus|Häuser
    das|Kind|Kinder
    das|Buch|Bücher
    das|Auto|Autos
    das|Bild|Bilder
    das|Brot|Brote
    das|Glas|Gläser
    das|Dorf|Dörfer
    das|Pferd|Pferde
    das|Schiff|Schiffe
    das|Ei|Eier
    das|Hemd|Hemden
    das|Land|Länder
    das|Kleid|Kleider
    das|Lied|Lieder
""")
# infinitive; ich, du, er, wir; past participle with its auxiliary; what follows
VERBS = rows("""
    gehen|gehe|gehst|geht|gegangen|ist|nach Hause
    kommen|komme|kommst|kommt|gekommen|ist|in die Stadt
    fahren|fahre|fährst|fährt|gefahren|ist|nach Berlin
    laufen|laufe|läufst|läuft|gelaufen|ist|in den Wald
    schlafen|schlafe|schläfst|schläft|geschlafen|hat|im Bett
    essen|esse|isst|isst|gegessen|hat|einen Apfel
    trinken|trinke|trinkst|trinkt|getrunken|hat|ein Glas Wasser
    lesen|lese|liest|liest|gelesen|hat|ein Buch
    schreiben|schreibe|schreibst|schreibt|geschrieben|hat|einen Brief
    sehen|sehe|siehst|sieht|gesehen|hat|einen Film
    sprechen|spreche|sprichst|spricht|gesprochen|hat|mit dem Lehrer
    nehmen|nehme|nimmst|nimmt|genommen|hat|den Zug
    geben|gebe|gibst|gibt|gegeben|hat|dem Kind ein Buch
    helfen|helfe|hilfst|hilft|geholfen|hat|der Mutter
    finden|finde|findest|findet|gefunden|hat|den Schlüssel
    kaufen|kaufe|kaufst|kauft|gekauft|hat|ein Brot
    spielen|spiele|spielst|spielt|gespielt|hat|mit dem Ball
    machen|mache|machst|macht|gemacht|hat|die Hausaufgaben
    lernen|lerne|lernst|lernt|gelernt|hat|ein Gedicht
    wohnen|wohne|wohnst|wohnt|gewohnt|hat|in Hamburg
    hören|höre|hörst|hört|gehört|hat|Musik
    suchen|suche|suchst|sucht|gesucht|hat|die Brille
    kochen|koche|kochst|kocht|gekocht|hat|eine Suppe
    tragen|trage|trägst|trägt|getragen|hat|einen Koffer
    waschen|wasche|wäschst|wäscht|gewaschen|hat|das Auto
    singen|singe|singst|singt|gesungen|hat|ein Lied
    bleiben|bleibe|bleibst|bleibt|geblieben|ist|zu Hause
    öffnen|öffne|öffnest|öffnet|geöffnet|hat|das Fenster
    verlieren|verliere|verlierst|verliert|verloren|hat|den Ring
    vergessen|vergesse|vergisst|vergisst|vergessen|hat|den Termin
""")
FIXED = rows("""
    Ich warte schon eine Stunde|auf den Bus|an den Bus|über den Bus|um den Bus
    Sie interessiert sich|für Musik|auf Musik|an Musik|um Musik
    Er denkt oft|an seine Familie|um seine Familie|auf seine Familie|bei seine Familie
    Wir freuen uns sehr|auf die Ferien|an die Ferien|um die Ferien|aus die Ferien
    Das Bild hängt|an der Wand|an die Wand|in die Wand|auf die Wand
    Er hängt das Bild|an die Wand|an der Wand|in der Wand|bei der Wand
    Das Buch liegt|auf dem Tisch|auf den Tisch|auf der Tisch|auf das Tisch
    Sie legt das Buch|auf den Tisch|auf dem Tisch|auf der Tisch|auf des Tisches
    Wir fahren morgen|nach Italien|zu Italien|in Italien hin|bei Italien
    Am Abend gehe ich|ins Kino|im Kino|beim Kino|vom Kino
    Sie kommt|aus der Schweiz|aus die Schweiz|von die Schweiz|aus dem Schweiz
    Ich fahre|mit dem Bus|mit den Bus|mit der Bus|mit das Bus
    Er geht heute|zum Arzt|zu der Arzt|nach Arzt|zu den Arzt
    Das Geschenk ist|für meinen Vater|für meinem Vater|für mein Vater|für meines Vaters
    Ohne|dich gehe ich nicht|dir gehe ich nicht|du gehe ich nicht|deiner gehe ich nicht
    Ich habe Angst|vor dem Hund|vor den Hund|an dem Hund|vor der Hund
    Er fragt|nach dem Weg|für den Weg|an dem Weg|auf den Weg
    Sie hilft|ihrem Bruder|ihren Bruder|ihr Bruder|ihres Bruders
    Ich danke|dir|dich|du|deiner
    Wegen|des Regens bleiben wir hier|den Regen bleiben wir hier|der Regen bleiben wir hier|das Regen bleiben wir hier
    Wenn ich Zeit|habe, komme ich|hat, komme ich|haben, komme ich|hast, komme ich
    Ich weiß nicht, ob er|heute kommt|kommt heute nicht heute|heute kommen|kommst heute
    Er bleibt zu Hause, weil er|krank ist|ist krank|krank sind|krank bin
    Er bleibt zu Hause, denn er|ist krank|krank ist|sind krank|bin krank
    Gestern|bin ich spät aufgestanden|ich bin spät aufgestanden|ich spät bin aufgestanden|spät ich bin aufgestanden
    Morgen|werde ich dich besuchen|ich werde dich besuchen|ich dich werde besuchen|werde dich ich besuchen
    Heute ist es wärmer|als gestern|wie gestern|so gestern|denn als gestern
    Er ist so groß|wie sein Vater|als sein Vater|denn sein Vater|dass sein Vater
    Das ist das schönste|Haus der Stadt|Häuser der Stadt|Hauses der Stadt|Häusern der Stadt
    Der Mann,|der dort steht, ist mein Onkel|die dort steht, ist mein Onkel|das dort steht, ist mein Onkel|den dort steht, ist mein Onkel
    Die Frau,|die dort sitzt, ist meine Tante|der dort sitzt, ist meine Tante|das dort sitzt, ist meine Tante|den dort sitzt, ist meine Tante
    Das Kind,|das dort spielt, ist mein Bruder|der dort spielt, ist mein Bruder|die dort spielt, ist mein Bruder|den dort spielt, ist mein Bruder
    Ich möchte heute Abend|ein Buch lesen|lesen ein Buch|ein Buch gelesen|ein Buch zu lesen
    Du musst|mehr schlafen|mehr zu schlafen|mehr geschlafen|schlafen mehr zu
    Er hat vergessen, die Tür|zu schließen|schließen|geschlossen|schließt
    Das Fenster|wird geöffnet|wird öffnen werden|werden geöffnet|wirst geöffnet
    Der Brief wurde gestern|geschrieben|schreiben|schrieb|schreibt
    Wenn ich reich wäre,|würde ich reisen|werde ich gereist|wird ich reisen|würden ich reisen
    Guten|Morgen|Morgens|Morgend|Mörgen
    Auf|Wiedersehen|Wiedersehens|Widersprechen|Wiedersehenes
""")  # noqa: E501 - an item a line
ACCUSATIVE = {"der": "den", "die": "die", "das": "das"}
MONTHS = names("Januar Februar März April Mai Juni Juli August September Oktober November Dezember", " ")
SMALL = names("null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
              "siebzehn achtzehn neunzehn", " ")  # fmt: skip
TENS = {20: "zwanzig", 30: "dreißig", 40: "vierzig", 50: "fünfzig", 60: "sechzig"}
SEEN = names("Ich sehe; Wir suchen; Sie kennt; Er findet; Wir haben; Ich brauche; Sie zeichnet; Er beschreibt")


def number(value: int) -> str:
    """A number up to 69 in words."""
    if value < 20:
        return SMALL[value]
    ones = value % 10
    if not ones:
        return TENS[value]
    return f"{'ein' if ones == 1 else SMALL[ones]}und{TENS[value - ones]}"


def counting(rng: random.Random) -> list[Ask]:
    """What comes after a number or a month."""
    made = []
    for value in sorted(rng.sample(range(2, 60), 36)):
        wrong = [number(value + step) for step in rng.sample((-2, -1, 2, 3, 10), 3)] if value > 2 else SMALL[4:7]
        made.append(Ask("counting", f"Beim Zählen kommt nach {number(value)} die Zahl", number(value + 1), wrong))
    for month, following in pairwise(MONTHS):
        made.append(
            Ask("month", f"Auf den {month} folgt der", following, others(rng, following, MONTHS, barred=[month]))
        )
    return made


def _rest(article: str) -> list[str]:
    return [one for one in ("der", "die", "das", "dem", "des") if one != article][:3]


def nominative(noun: list[str]) -> Ask:
    article, name, _ = noun
    wrong = [f"{one} {name}" for one in _rest(article)]
    return Ask("article", f"{name} ist ein deutsches Wort. Mit seinem Artikel heißt es", f"{article} {name}", wrong)


def accusative(rng: random.Random, noun: list[str]) -> Ask:
    article, name, _ = noun
    right = ACCUSATIVE[article]
    wrong = [f"{one} {name}" for one in ("den", "die", "das", "dem") if one != right]
    return Ask("accusative", f"Der Artikel von {name} ist {article}. {rng.choice(SEEN)}", f"{right} {name}", wrong)


def plural(noun: list[str]) -> Ask:
    """Wrong plurals: the noun with endings of others, and one with the wrong umlaut or none."""
    article, name, right = noun
    stem = name.removesuffix("e")
    made = dict.fromkeys([stem + "en", stem + "er", stem + "s", stem + "e", stem + "ern"])
    wrong = [form for form in made if form != right][:3]
    return Ask("plural", f"{article.capitalize()} {name} ist allein; es gibt viele", right, wrong)


def conjugated(verb: list[str]) -> list[Ask]:
    """ich, du, er and wir in the present, and the participle in the perfect."""
    infinitive, first, second, third, participle, auxiliary, rest = verb
    forms = [infinitive, first, second, third]
    spare = [first + "t", first + "n", participle]  # where two persons share a form
    made = []
    for person, right in (("Ich", first), ("Du", second), ("Er", third), ("Wir", infinitive)):
        wrong = [form for form in dict.fromkeys([*forms, *spare]) if form != right][:3]
        made.append(Ask("verb", f"{person}", f"{right} {rest}", [f"{form} {rest}" for form in wrong]))
    made = [Ask("verb", f"„{infinitive}“ ist ein Verb. {ask.prompt}", ask.right, ask.wrong) for ask in made]
    wrong = [
        form for form in dict.fromkeys([first, second, third, "ge" + first, "zu " + infinitive]) if form != participle
    ]
    return [*made, Ask("perfect", f"Gestern {auxiliary} sie {rest}", participle, wrong[:3])]


def asks() -> list[Ask]:
    """517 items: facts, words and grammar."""
    rng = random.Random("german")
    pool = [name for _, name in CLASSES]
    made = [Ask("fact", prompt, right, wrong) for prompt, right, *wrong in FACTS]
    made += related(rng, "capital", "Die Hauptstadt von {} heißt", CAPITALS)
    made += related(rng, "opposite", "Das Gegenteil von „{}“ ist", OPPOSITES)
    made += [
        Ask("class", f"{thing} gehört zu dieser Gruppe:", right, others(rng, right, pool)) for thing, right in CLASSES
    ]
    made += [Ask("phrase", prompt, right, wrong) for prompt, right, *wrong in FIXED]
    made += [nominative(noun) for noun in NOUNS]
    made += [accusative(rng, noun) for noun in NOUNS]
    made += [plural(noun) for noun in NOUNS]
    made += counting(rng)
    return made + [ask for verb in VERBS for ask in conjugated(verb)]
