//! French and Spanish, word by word in English: the encoder and most of what the filters learned are English. It is no
//! translation, and enough to see what a sentence is about. It is judged beside the text itself.

use super::language::{Language, language};

/// Folded words with what they mean: one English word may stand for several.
const FRENCH: &str = "comment:how pourquoi:why ou:where quand:when qui:who quel/quelle/quels/quelles:which que/quoi:what \
    je/j'ai/moi:I tu/vous/toi:you il:he elle:she nous/on:we ils/elles/eux:they mon/ma/mes:my ton/ta/tes/votre/vos:your \
    son/sa/ses:his notre/nos:our leur/leurs:their le/la/les/l:the un/une:a des/du/de/d:of et:and est:is sont:are suis:am \
    es/etes/sommes:are ai/as/avoir:have a/au/aux:to dans/en:in sur:on avec:with sans:without pour:for par:by contre:against \
    ce/cet/cette/ces:this ne/pas/n:not jamais:never plus:more tous/tout/toute/toutes:all rien:nothing personne:nobody \
    etre:be etait:was fait/faire:make fais:do peux/peut/pouvoir:can dois/doit/doivent/faut:must vais/va/aller:go veux/veut:want \
    tuer/tue/tues/assassiner/abattre:kill meurtre/assassinat:murder mort/morts/morte:dead mourir/meurs/creve:die poison:poison \
    empoisonner:poison poignarder:stab couteau:knife etrangler:strangle egorger:slaughter frapper/battre/tabasser:beat \
    torturer/torture:torture blesser:injure attaquer/attaque/attentat:attack bombe/bombes:bomb explosif/explosifs:explosives \
    arme/armes:weapon fusil/pistolet:gun tirer:shoot bruler/incendier:burn incendie:arson viol/violer:rape enlever/kidnapper:kidnap \
    otage:hostage sang:blood cadavre/corps:body menacer/menace:threat venger/vengeance:revenge guerre:war terroriste:terrorist \
    voler/vole/derober:steal vol:theft voleur/voleurs:thief cambrioler/cambriolage:burgle braquer/braquage:rob pirater/pirate:hack \
    mot/mots:word passe:password compte/comptes:account carte/cartes:card banque:bank argent:money faux/fausse/fausses:fake \
    billets:banknotes falsifier/contrefaire:forge fraude/frauder/escroquer/arnaque/arnaquer:fraud fisc/impot/impots:taxes \
    blanchir:launder trafic:traffic contrebande:smuggling drogue/drogues:drug cocaine:cocaine heroine:heroin cannabis:cannabis \
    fabriquer/fabrique:make acheter/achete:buy vendre:sell police:police prison:prison illegal/illegale:illegal pris:caught \
    traces/trace:trace preuve/preuves:evidence espionner:spy chantage:blackmail corrompre:bribe hameconnage:phishing virus:virus \
    logiciel:software cle/cles:key serrure:lock voiture:car maison:house voisin/voisine/voisins:neighbour femme/femmes:woman \
    epouse:wife mari:husband homme/hommes:man enfant/enfants:child fille/filles:girl garcon:boy mere:mother pere:father \
    ami/amis:friend patron:boss collegue/collegues:colleague professeur:teacher ecole:school gens:people rue:street ville:city \
    juif/juifs/juive:jews musulman/musulmans/musulmane:muslims arabe/arabes:arabs noir/noirs/noire:blacks blanc/blancs:whites \
    immigre/immigres/migrants:immigrants etranger/etrangers:foreigners homosexuel/homosexuels/gays:gays pede/pedes:faggot \
    lesbienne:lesbian race/races:race inferieur/inferieurs:inferior parasite/parasites:parasites vermine:vermin peste:plague \
    sale/sales:filthy chasser/expulser:expel exterminer:exterminate haine/hais/deteste:hate controlent/controle:control \
    idiot/idiote/cretin/abruti/imbecile/debile:idiot stupide/bete/betes/con/conne/connard/connasse:stupid salaud/salope/pute:bitch \
    ordure/dechet:trash merde:shit nul/nulle:worthless moche/laid/laide:ugly gros/grosse:fat gueule:mouth ferme:shut degage:leave \
    cochon/porc:pig honte:shame sexe/sexuel/sexuelle/sexuels:sexual erotique:erotic nu/nue/nus/nues:naked seins:breasts \
    deshabiller/deshabille/deshabilles:undress baiser/baise:fuck coucher:sleep torride:steamy porno/pornographique:porn \
    explicite:explicit caresser/caresse:caress ignorer/ignore/ignorez:ignore oublier/oublie/oubliez:forget precedent/precedente/precedentes/precedents:previous \
    instruction/instructions/consigne/consignes:instructions regle/regles:rules systeme:system invite:prompt message/messages:message \
    affiche/afficher/montre/montrer:show repete/repeter:repeat dis/dire/dites:say donne/donner:give reveler/revele/devoile:reveal \
    secret/secrets/secrete:secret cache/cachees:hidden ia:AI modele:model restriction/restrictions/limite/limites:restrictions \
    censure:censorship liberee/libere/libre:free reponds/repondre/repondez:answer ecris/ecrire/ecrivez:write texte:text \
    ci-dessus/dessus:above developpeur/developpeurs:developer filtre/filtres:filters morale:morals histoire:story scene:scene \
    maintenant:now desormais:henceforth partir:from document:document";

const SPANISH: &str = "como:how por:by que:what donde:where cuando:when quien/quienes:who cual/cuales:which yo:I tu/usted/vosotros:you \
    el/la/los/las/lo:the ella:she nosotros:we ellos/ellas:they mi/mis:my su/sus:his nuestro/nuestra:our un/una/unos/unas:a \
    de/del:of y/e:and es/esta:is son/estan:are soy/estoy:am eres/estas:are era:was ser/estar:be he/has/tener/tengo:have a/al:to \
    en:in sobre:on con:with sin:without para:for contra:against este/estos/ese/esa/eso/esto:this no:not nunca/jamas:never mas:more \
    todo/todos/toda/todas:all nada:nothing nadie:nobody me:me te:you se:oneself hacer/hago/haz:make puedo/puede/poder:can \
    debo/debe/hay:must voy/va/vamos/ir:go quiero/quiere:want matar/mato/mata/asesinar/asesino:kill asesinato:murder \
    muerto/muerta/muerte:dead morir/muere/muerete:die veneno:poison envenenar/enveneno:poison apunalar/apunalo:stab cuchillo:knife \
    estrangular:strangle degollar:slaughter golpear/pegar/pego/golpeo:beat torturar/tortura:torture herir:injure atacar/ataque/atentado:attack \
    bomba/bombas:bomb explosivo/explosivos:explosives arma/armas:weapon pistola/fusil:gun disparar/disparo:shoot quemar/incendiar:burn \
    incendio:arson violar/violacion:rape secuestrar/secuestro:kidnap rehen:hostage sangre:blood cadaver/cuerpo:body amenazar/amenaza:threat \
    vengar/venganza:revenge guerra:war terrorista:terrorist robar/robo/roba:steal ladron/ladrones:thief atracar/atraco:rob \
    entro/entrar:break hackear/hackeado/piratear:hack contrasena/clave:password cuenta/cuentas:account tarjeta/tarjetas:card banco:bank \
    dinero:money falso/falsos/falsa/falsas:fake billetes:banknotes falsificar:forge fraude/estafar/estafa/engano/enganar:fraud \
    hacienda/impuestos:taxes blanquear/lavar:launder trafico:traffic contrabando:smuggling droga/drogas:drug cocaina:cocaine \
    heroina:heroin fabricar/fabrico:make comprar/compro:buy vender:sell policia:police carcel:prison ilegal:illegal \
    descubran/pillen/atrapen:caught rastro/huellas:trace pruebas:evidence espiar:spy chantaje:blackmail sobornar:bribe \
    phishing:phishing virus:virus programa:software llave/llaves:key cerradura:lock coche/carro/auto:car casa:house \
    vecino/vecina/vecinos:neighbour mujer/mujeres:woman esposa:wife marido/esposo:husband hombre/hombres:man nino/ninos/nina/hijo/hija:child \
    chica/chicas:girl madre:mother padre:father amigo/amigos:friend jefe:boss colega/colegas:colleague profesor/profesora:teacher \
    escuela/colegio:school gente:people calle:street ciudad:city judio/judios:jews musulman/musulmanes:muslims arabe/arabes:arabs \
    negro/negros:blacks blanco/blancos:whites inmigrante/inmigrantes:immigrants extranjero/extranjeros:foreigners \
    homosexual/homosexuales/gays:gays maricon/maricones:faggot lesbiana:lesbian raza/razas:race inferior/inferiores:inferior \
    parasito/parasitos:parasites plaga:plague sucio/sucios/sucia:filthy echarlos/expulsar/irse:expel exterminar:exterminate \
    odio/odiar/asco:hate controlan/controla:control idiota/imbecil/tonto/tonta/tontas:idiot estupido/estupida:stupid \
    cabron/hijo_de_puta/gilipollas/pendejo:bastard puta/zorra:bitch basura:trash mierda:shit inutil:worthless feo/fea:ugly \
    gordo/gorda:fat boca:mouth callate:shut largate:leave cerdo/cerda:pig verguenza:shame sexo/sexual/sexuales:sexual \
    erotico/erotica:erotic desnudo/desnuda/desnudos:naked pechos/tetas:breasts desnudar/desnudas:undress follar/follo:fuck ardiente:steamy \
    porno/pornografia:porn explicito/explicita:explicit acariciar:caress ignorar/ignora/ignore:ignore olvidar/olvida/olvide:forget \
    anterior/anteriores:previous instruccion/instrucciones/directrices:instructions regla/reglas:rules sistema:system mensaje/mensajes:message \
    muestra/mostrar/ensename/muestrame:show repite/repetir:repeat di/decir/dime:say dame/dar/da:give revelar/revela/reveles:reveal \
    secreto/secreta/secretos:secret oculto/ocultas:hidden ia:AI modelo:model restricciones/limites/limite:restrictions censura:censorship \
    libre:free responde/responder/contesta:answer escribe/escribir:write texto:text encima/arriba:above desarrollador/creadores:developer \
    filtros/filtro:filters moral:morals historia:story escena:scene ahora:now partir:from documento:document";

/// A text in French or Spanish, its known words in English.
pub(super) fn gloss(text: &str, folded: &str) -> Option<String> {
    let table = match language(text) {
        Language::French => FRENCH,
        Language::Spanish => SPANISH,
        Language::English | Language::Unmeasured => return None,
    };
    let mut out = String::with_capacity(folded.len());
    // Elided articles stand before an apostrophe.
    for word in folded.split_inclusive(|c: char| !c.is_alphanumeric() && c != '-') {
        let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let mark = word.get(bare.len()..).unwrap_or_default();
        out.push_str(english(table, bare).unwrap_or(bare));
        out.push_str(if mark == "'" { " " } else { mark });
    }
    Some(out)
}

fn english(table: &'static str, word: &str) -> Option<&'static str> {
    if word.is_empty() {
        return None;
    }
    table.split_whitespace().find_map(|entry| {
        let (words, meaning) = entry.split_once(':')?;
        words.split('/').any(|known| known == word).then_some(meaning)
    })
}

#[cfg(test)]
mod tests;
