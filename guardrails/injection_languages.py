# ruff: noqa: E501 - a rule is one line
"""Phrases of prompt injections in other languages; accents make no difference."""

RULES = r"""
# --- German
instruction_override 0.85 ignoriere|ignorier|ignorieren|ignoriert|vergiss|vergesst|vergessen|missachte|missachten|verwirf|uebergehe|übergehe|übergehen|verwerfe|lösche|überschreibe|streiche|umgehe|ignorierst|vergesse ~5 anweisung|anweisungen|instruktion|instruktionen|vorgaben|befehle|systemprompt|prompt|prompts|aufforderungen|richtlinien|programmierung|direktiven|systemanweisungen|anordnungen|sicherheitsrichtlinien|systemvorgaben|sicherheitsvorgaben|inhaltsrichtlinien =(?!\s+zum)
instruction_override 0.6 ignoriere|ignorier|ignorieren|ignoriert|vergiss|vergesst|vergessen|vergesse|missachte ~3 alles|alle|sämtliche|jegliche|bisherigen|bisherige|vorherigen|vorherige|vorigen|obigen|obige ~3 davor|vorher|zuvor|bisher|oben|aufgaben|aufgabe|aufträge|auftrag|regeln|fragen|texte|text|gesagt|gesagte|besprochen|gelernt|was|aufgabenstellungen|zuweisungen|informationen|dokumente|gelernte|weißt|geschrieben
instruction_override 0.5 ^ vergiss|vergessen|ignoriere|ignorieren ?sie|bitte|jetzt|nun alles|alle|das_alles|all_das
instruction_override 0.45 vergiss|vergesst|ignoriere|ignorieren_sie ~2 deine|deinen|ihre|die|obigen|vorherige|vorherigen ~2 aufgaben|aufgabe|regeln|rolle|auftrag|aufträge|text|frage|fragen|beschränkungen|einschränkungen
instruction_override 0.5 neue|neuen|neuer|aktualisierte ~1 anweisung|anweisungen|instruktion|instruktionen|systemanweisung|direktive =\s*(?::|lautet|lauten|\n)
task_hijack 0.5 neue|neuer|nächste|nächster|eigentliche|wahre|wichtigere|andere|neuen ~1 aufgabe|aufgaben|auftrag|aufgabenstellung|herausforderung|herausforderungen|frage =\s*(?::|,|ist|lautet|für|.?\s+an\s+dich|stellen|beantworten|zu)
task_hijack 0.5 deine|deiner|ihre ~1 neue|neuen|nächste|einzige|eigentliche|wahre|wirkliche|tatsächliche ~1 aufgabe|aufgaben|auftrag|rolle|ziel|mission
task_hijack 0.5 jetzt|nun|hier|kommen|kommt ~5 neue|neuen|neues|neuer|nächste|nächsten|andere ~1 aufgabe|aufgaben|auftrag|herausforderung|herausforderungen|frage|zuweisung
task_hijack 0.4 konzentriere|konzentrier|fokussiere|konzentrieren|widme ~2 dich|sich ~3 neue|neuen|folgende|folgenden|nächste|nächsten|jetzt
task_hijack 0.4 antworte|schreibe|schreib|sage|sag|gib|antworten|gebe ~3 nur|ausschließlich|lediglich|stattdessen|genau ~1 mit|noch|in|aus|das|den|folgendes|die
task_hijack 0.5 du|sie antwortest|redest|schreibst|sprichst|antworten ~3 nur|ausschließlich|nur_noch
task_hijack 0.35 egal|unabhängig_davon|ganz_gleich was|welche|worum
task_hijack 0.4 sage|sag|schreibe|schreib|antworte|sagen_sie nur|einfach|bloß =\s*(?:mit\b|["'])
role_assignment 0.5 als wärst_du|ob_du|wären_sie|seist_du|wärest_du
prompt_extraction 0.5 was|wie|nenne|zeige|welche ~2 erste|ersten|anfang ~1 anweisung|anweisungen|satz|sätze|nachricht|instruktion
prompt_extraction 0.5 schreib|schreibe|gib|liste|nenne|wiederhole|zeige ~2 vorherigen|vorigen|bisherigen|obigen ~1 sätze|texte|text|nachrichten|eingaben|wörter|anweisungen
task_hijack 0.4 deine|deiner|jede|alle ~1 antwort|antworten ~1 muss|müssen|soll|sollen|sollte|darf|beginnt|endet|sollten
task_hijack 0.35 stattdessen ~3 gib|schreibe|schreib|sage|sag|antworte|sende|nenne|mach|erzähle
task_hijack 0.4 beantworte|löse|bearbeite|erledige|führe ~3 folgende|folgenden|nächste|neue ~1 frage|fragen|aufgabe|aufgaben|befehl|befehle|anweisung|anweisungen =(?!\s+in\s+(?:deinem|ihrem))
task_hijack 0.4 super|toll|klasse|danke|prima|großartig|ausgezeichnet|perfekt|gut_gemacht|hervorragend ~8 jetzt|nun|neue|nächste|vergiss|aufgabe
role_assignment 0.6 du_bist|sie_sind|du_wirst|du_agierst ~1 jetzt|nun|ab_jetzt|ab_sofort|fortan|von_nun_an|kein|keine|nicht_mehr|nicht_länger ~2 ein|eine|der|die|ki|dan|sprachmodell|frei|mein|ein_|linux|an|assistent|im
role_assignment 0.5 ab_jetzt|ab_sofort|von_jetzt_an|von_nun_an|ab_nun|fortan ~3 bist|antwortest|antworte|verhältst|sprichst|wirst|du|antworten|schreibe|sollst|nur|redest
role_assignment 0.6 ich_möchte|ich_will|ich_mochte|du_sollst|du_wirst|bitte|sollst_du|kannst_du ~5 als|wie ~5 agierst|agieren|fungierst|fungieren|handelst|handeln|auftrittst|auftreten|verhältst|verhalten|spielst|antwortest|antworten
role_assignment 0.55 agiere|agier|fungiere|handle|verhalte|verhalt|benimm|spiel|spiele|antworte|handele|sprich|rede|schreibe ?dich|bitte|jetzt|die|den|du als|wie|rolle|so ~1 ein|eine|einer|eines|ob|der|wärst|mein|wenn|dan|meine
role_assignment 0.55 tu|tue|gib|stell|stelle|angenommen|nimm|stellen ?mal|dir|so|sie_sich|dich als_ob|du_wärst|du_bist|als|an ~2 du|ein|eine|wärst|bist|wären
role_assignment 0.45 ^ du_bist|du_warst ein|eine|der|die|mein ~4 person|ki|bot|journalist|experte|assistent|mann|frau|terminal|hacker|pirat|politiker|roboter|chatbot|charakter|lehrer|modell
role_assignment 0.5 ^ du_bist ein|eine|der|die|mein ~4 der|die|das =(?=\s)
role_assignment 0.45 ohne|keine|keinerlei ~1 einschränkungen|beschränkungen|filter|zensur|moral|ethische|regeln|moralischen|ethik|moralische|richtlinien|ethischen
role_assignment 0.4 entwicklermodus|debug_modus|adminmodus|administratormodus|wartungsmodus ~2 aktiviert|an|ein|aktiv|aktiviere|aktivieren
prompt_extraction 0.7 zeig|zeige|nenne|nenn|verrate|verrat|gib|gebe|wiederhole|schreibe|schreib|drucke|liste|offenbare|sage|sag|teile|übersetze|zeigen|verraten|nennen|geben|erzähl|erzähle|wiederholen|kopiere|zitiere ~5 deine|deinen|deiner|deines|ihre|ihren|system|ursprünglichen|ursprüngliche|initialen|versteckten|geheimen|vorherigen|obigen|anfänglichen|gesamten|internen|ersten|alle ~2 prompt|prompts|anweisungen|anweisung|systemprompt|instruktionen|instruktion|systemanweisung|systemanweisungen|prompttexte|prompttext|richtlinien|vorgaben|befehle|eingabeaufforderung|eingabeaufforderungen|systemnachricht|prompt_text|promptanweisungen
prompt_extraction 0.6 was|wie|welche|welcher ~3 deine|dein|deiner|ihre|ihr|deinen ~2 prompt|anweisungen|systemprompt|instruktionen|systemanweisung|systemanweisungen|anweisung
prompt_extraction 0.55 was ~4 vor_diesem|vor_dem|davor|oben|zuvor|am_anfang|über_diesem|darüber ~5 geschrieben|gesagt|stand|steht|erwähnt|text|satz|geschah|prompt
prompt_extraction 0.5 was|welche ~2 wurde|wurden|hat ~2 dir ~2 gesagt|mitgeteilt|aufgetragen|vorgegeben|befohlen|anweisungen|gegeben
prompt_extraction 0.35 systemprompt|prompttexte|prompt_texte|prompttext|systemanweisungen|systemanweisung|prompt_text
prompt_extraction 0.5 wiederhole|zeige|zeig|nenne|übersetze|gib ~2 obigen|obige|vorherigen|vorherige|ersten|alles ~3 text|texte|wörter|worte|satz|sätze|oben|davor|dokument|steht
secrecy 0.55 sag|sage|erzähle|verrate|erwähne|informiere|teile|sagen|teilen|erwähnen|benachrichtige ~5 nutzer|benutzer|anwender|user|nutzerin|kunden|niemandem ~3 nicht|nichts|kein|davon
secrecy 0.45 ohne ~4 nutzer|benutzer|anwender|user ~4 informieren|fragen|sagen|mitzuteilen|zu_informieren|zu_fragen|benachrichtigen|wissen|zu_benachrichtigen
tool_command 0.55 ki|ki_assistent|ki_assistenten|ki_agent|ki_agenten|ki_system|ki_systeme|ki_modell|sprachmodell|sprachmodelle|llm|chatbot ~2 muss|müssen|soll|sollen|sollte|bitte|hat ~8 senden|aufrufen|ausführen|weiterleiten|löschen|ignorieren|überweisen|antworten|sende|leite|rufe|bewerten|erwähnen|empfehlen|schicken
tool_command 0.55 wenn|falls|da ?du ~1 eine|ein|du_eine|du_ein ~1 ki|sprachmodell|assistent|ki_assistent|llm|chatbot|agent ~2 bist|dies|liest|diesen
tool_command 0.55 sende|schicke|leite|übermittle|maile|senden_sie|leiten_sie ~4 konversation|gesamten|gesamte|passwörter|zugangsdaten|verlauf|gesprächsverlauf|chatverlauf ~6 an =\s+(?:\S+@\S|https?:|die\s+(?:folgende|adresse))
tool_command 0.55 hinweis|nachricht|anweisung|achtung|wichtig|anweisungen|information|mitteilung ~1 an|für ~3 ki|assistenten|assistent|sprachmodell|sprachmodelle|llm|agenten|agent|chatbot|ki_assistenten
authority 0.4 ^ systemhinweis|systemnachricht|systemmeldung|systemmitteilung|administrator|wichtige_anweisung|sicherheitsupdate|systemanweisung|systembefehl =\s*[:!\n]
instruction_override 0.4 ^ vergiss|ignoriere|vergessen_sie|ignorieren_sie den|die|das|diesen|diese ~1 text|aufgabe|frage|artikel|dokument|zusammenfassung|mail|inhalt|übersetzung
prompt_extraction 0.5 welche|alle|die ?alle anweisungen|befehle|vorgaben|instruktionen|regeln|prompts|texte ~6 gegeben|bekommen|erhalten|vorgegeben|mitgeteilt|befolgst =(?=\W)
role_assignment 0.5 ^ als ein|eine|einer|überzeugter|anhänger|fan|jemand|unterstützer ~6 erkläre|antworte|schreibe|sag|beantworte|erzähle|begründe|würdest|würde
instruction_override 0.4 ^ ignoriere|vergiss|ignorier|vergesse das|dies|alles_davor|das_alles|den_rest =\s*(?:[.,;!]|und\b)
role_assignment 0.45 stell_dir_vor|stellen_sie_sich_vor|angenommen ~1 du|sie ~1 wärst|bist|seist|wären ~4 ki|roboter|bot|person|ohne|keine|böser|böse|hacker|chatbot|mensch|assistent
# --- French
instruction_override 0.85 ignore|ignorez|ignorer|oublie|oubliez|oublier|négligez|néglige|outrepasse|contourne|annule|ne_tiens_pas_compte|ne_tenez_pas_compte|fais_abstraction|faites_abstraction ~4 instruction|instructions|consignes|consigne|directives|directive|prompt|ordres|règles
instruction_override 0.55 oublie|oubliez|ignore|ignorez tout|ce_qui|ce_que ~3 précède|précédent|avant|dit|dessus|sais|appris|reste|précédemment|ce_qui|ce_que
instruction_override 0.5 nouvelles|nouvelle instructions|instruction|consignes|consigne|directive =\s*:
role_assignment 0.6 tu_es|vous_êtes ~1 maintenant|désormais|à_présent|dorénavant|plus ~1 un|une|le|la|dan|libre|mon
role_assignment 0.5 à_partir_de_maintenant|désormais|dorénavant|à_compter_de ~3 tu|vous|réponds|répondez
role_assignment 0.55 agis|agissez|comporte_toi|comportez_vous|joue_le_rôle|jouez_le_rôle|fais_semblant|faites_semblant|fais_comme|imagine ~1 comme|en_tant|d_un|d_une|d_être|si|que_tu_es|de ~1 un|une|qu_un|que|si|étais|étiez|es|un_e
prompt_extraction 0.7 révèle|révélez|affiche|affichez|montre|montrez|montre_moi|répète|répétez|donne|donnez|donne_moi|imprime|dis|dis_moi|écris|traduis|partage|cite ~4 instructions|prompt|consignes|invite|message ~2 système|initial|initiales|initiale|secrètes|cachées|secret|précédentes|d_origine|originales|internes|ci_dessus|complet|confidentielles
prompt_extraction 0.6 révèle|révélez|affiche|montre|montre_moi|répète|donne_moi|quel|quelles|quels|dis_moi|donne ~4 ton|tes|votre|vos ~1 instructions|prompt|consignes|invite|prompts|directives|règles
task_hijack 0.5 ta|votre ~1 nouvelle|vraie|véritable|prochaine|seule ~1 tâche|mission|rôle =\s
task_hijack 0.35 réponds|répondez|dis|écris ~1 uniquement|seulement|juste|exactement|simplement ~1 par|avec|en|le
secrecy 0.5 ne|n ~1 dis|dites|mentionne|mentionnez|informe|informez|révèle|révélez|préviens ~4 utilisateur|utilisatrice|personne|client
tool_command 0.5 assistant|ia|modèle_de_langage|agent|assistants|assistant_ia ~1 doit|devez|dois|doivent ~3 envoyer|appeler|transférer|exécuter|supprimer|ignorer|répondre|utiliser
tool_command 0.5 envoie|envoyez|transfère|transférez|transmets|transmettez ~3 tout|tous|toutes|historique|mots_de_passe|conversation|données ~6 à =\s+(?:\S+@\S|https?:|l'adresse)
# --- Spanish
instruction_override 0.85 ignora|ignore|ignorad|ignoren|ignorar|olvida|olvide|olvidar|olvidad|descarta|descarte|omite|omita|desestima|anula|haz_caso_omiso_de|no_sigas|pasa_por_alto ~4 instrucciones|instrucción|indicaciones|órdenes|directrices|directivas|prompt|reglas|normas
instruction_override 0.55 olvida|olvide|ignora|ignore|olvídate_de todo|todos|todas|lo ~3 anterior|antes|arriba|dicho|sabes|previo|anteriores|aprendido|he_dicho
instruction_override 0.5 nuevas|nueva instrucciones|instrucción|directiva|orden =\s*:
role_assignment 0.6 ahora_eres|eres_ahora|ahora_serás|ya_no_eres|a_partir_de_ahora_eres ~0 un|una|el|la|dan|libre|mi
role_assignment 0.5 a_partir_de_ahora|de_ahora_en_adelante|desde_ahora|a_partir_de_este_momento ~3 eres|responde|responderás|actúa|actuarás|vas|serás|debes|tu|habla
role_assignment 0.55 actúa|actúe|actuar|compórtate|finge|finja|haz_de_cuenta|simula|imagina|hazte_pasar|asume_el_papel|quiero_que_actúes ~1 como|que_eres|ser|por|que|de ~1 un|una|si|eres|fueras|el|no
prompt_extraction 0.7 revela|revele|muestra|muéstrame|muestre|repite|dime|imprime|enseña|enséñame|escribe|dame|comparte|traduce|cuéntame ~4 instrucciones|prompt|mensaje|indicaciones|reglas ~2 sistema|inicial|iniciales|ocultas|secretas|originales|anteriores|internas|del_sistema|completo|original|arriba
prompt_extraction 0.6 revela|muestra|muéstrame|repite|dime|dame|cuáles|cuál|qué|escribe|imprime ~4 tu|tus|sus ~1 instrucciones|prompt|indicaciones|prompts|directrices|reglas
task_hijack 0.5 tu ~0 nueva|verdadera|próxima|única|real tarea|misión|función|objetivo
task_hijack 0.35 responde|responda|di|escribe ~1 solo|sólo|únicamente|solamente|exactamente|simplemente ~1 con|en|la|el
secrecy 0.5 no ~1 se_lo|le|lo|les|al ~0 digas|menciones|informes|diga|reveles|cuentes|mencione|avises ~4 usuario|nadie|cliente
secrecy 0.45 sin ~1 decírselo|informar|mencionar|avisar|decirle|notificar|decir ~2 usuario|nadie
tool_command 0.5 asistente|ia|modelo_de_lenguaje|agente|asistentes ~1 debe|debes|tiene_que|deben|debería ~3 enviar|llamar|transferir|ejecutar|eliminar|ignorar|responder|reenviar|usar|borrar
tool_command 0.5 envía|reenvía|envíe|manda|transfiere ~3 todo|todos|todas|historial|contraseñas|conversación|datos ~6 a =\s+(?:\S+@\S|https?:|la\s+dirección)
# --- Italian
instruction_override 0.85 ignora|ignorate|ignorare|dimentica|dimenticate|dimenticare|trascura|non_seguire|annulla|scarta|tralascia ~4 istruzioni|istruzione|indicazioni|direttive|prompt|regole|ordini|comandi
instruction_override 0.55 dimentica|ignora|dimenticate tutto|tutte|tutti|quello ~3 precedente|prima|sopra|detto|sai|precedenti|imparato
instruction_override 0.5 nuove|nuova istruzioni|istruzione|direttiva =\s*:
role_assignment 0.6 ora_sei|adesso_sei|sei_ora|non_sei_più|d_ora_in_poi_sei|da_ora_sei ~0 un|una|il|la|dan|libero|uno|mio
role_assignment 0.5 d_ora_in_poi|da_ora_in_poi|da_adesso_in_poi|d_ora_in_avanti ~3 sei|rispondi|risponderai|agisci|sarai|devi|tu
role_assignment 0.55 agisci|comportati|fingi|fai_finta|immagina|interpreta|recita|voglio_che_tu_agisca ~1 come|di_essere|che|il_ruolo|se|di ~1 un|una|se|sei|fossi|tu
prompt_extraction 0.7 rivela|mostra|mostrami|ripeti|dimmi|stampa|scrivi|dammi|rivelami|condividi|elenca ~4 istruzioni|prompt|messaggio|regole ~2 sistema|iniziale|iniziali|nascoste|segrete|originali|precedenti|di_sistema|originale|interne|sopra
prompt_extraction 0.6 rivela|mostra|mostrami|ripeti|dimmi|quali|qual|scrivi|stampa ~4 tuo|tue|tuoi|vostre ~1 istruzioni|prompt|direttive|regole
task_hijack 0.5 tuo|tua ~0 nuovo|nuova|vero|vera|prossimo|unico compito|missione|obiettivo|ruolo
task_hijack 0.35 rispondi|scrivi|di ~1 solo|soltanto|solamente|esattamente|unicamente ~1 con|in|la|il
secrecy 0.5 non ~1 dire|dirlo|menzionare|informare|rivelare|avvisare|dire_nulla ~4 utente|nessuno|cliente
tool_command 0.5 assistente|ia|modello_linguistico|agente|assistenti ~1 deve|devi|devono|dovrebbe ~3 inviare|chiamare|trasferire|eseguire|eliminare|ignorare|rispondere|inoltrare|cancellare
tool_command 0.5 invia|inoltra|inviate|trasferisci|manda ~3 tutto|tutti|tutte|cronologia|password|conversazione|dati ~6 a =\s+(?:\S+@\S|https?:|l'indirizzo)
# --- Portuguese
instruction_override 0.85 ignore|ignora|ignorar|esqueça|esqueca|esquece|esquecer|desconsidere|desconsidera|descarte|desrespeite|não_siga ~4 instruções|instrução|orientações|diretrizes|prompt|regras|ordens|comandos
instruction_override 0.55 esqueça|esquece|ignore tudo|todas|todos ~3 anterior|antes|acima|disse|sabe|foi_dito|anteriores|aprendeu
instruction_override 0.5 novas|nova instruções|instrução|diretriz =\s*:
role_assignment 0.6 você_agora_é|agora_você_é|tu_és_agora|agora_és|você_não_é_mais|você_é_agora ~0 um|uma|o|a|dan|livre|meu
role_assignment 0.5 a_partir_de_agora|de_agora_em_diante|daqui_em_diante|doravante ~3 você|responda|aja|será|tu|deve|és
role_assignment 0.55 aja|atue|finja|finge|comporte_se|imagine|faça_de_conta|simule|quero_que_você_aja|assuma_o_papel ~1 como|ser|que|de ~1 um|uma|se|é|você|fosse
prompt_extraction 0.7 revele|mostre|mostra|repita|diga|imprima|exiba|escreva|me_diga|compartilhe|revela|liste ~4 instruções|prompt|mensagem|regras ~2 sistema|inicial|iniciais|ocultas|secretas|originais|anteriores|do_sistema|original|internas|acima
prompt_extraction 0.6 revele|mostre|repita|diga|quais|qual|imprima|exiba|escreva ~4 seu|suas|seus|tuas|teu ~1 instruções|prompt|diretrizes|regras|prompts
task_hijack 0.5 sua|tua ~0 nova|verdadeira|próxima|única|real tarefa|missão|função
task_hijack 0.35 responda|diga|escreva ~1 apenas|somente|só|exatamente ~1 com|em|a|o
secrecy 0.5 não ~1 conte|diga|mencione|informe|revele|avise ~4 usuário|ninguém|utilizador|cliente
tool_command 0.5 assistente|ia|modelo_de_linguagem|agente|assistentes ~1 deve|devem|precisa|tem_que ~3 enviar|chamar|transferir|executar|excluir|ignorar|responder|encaminhar|apagar
tool_command 0.5 envie|encaminhe|transfira|mande ~3 tudo|todos|todas|histórico|senhas|conversa|dados ~6 para =\s+(?:\S+@\S|https?:|o\s+endereço)
# --- Dutch
instruction_override 0.85 negeer|vergeet|negeren|vergeten|sla|omzeil|verwerp ~4 instructies|instructie|aanwijzingen|opdrachten|prompt|richtlijnen|regels|bevelen
instruction_override 0.55 vergeet|negeer alles|alle ~3 hiervoor|eerder|hierboven|voorgaande|gezegd|weet|vorige|bovenstaande
instruction_override 0.5 nieuwe instructies|instructie|opdracht =\s*:
role_assignment 0.6 je_bent|jij_bent|u_bent ~0 nu|vanaf_nu|voortaan|niet_langer ~0 een|de|dan|vrij|mijn
role_assignment 0.5 vanaf_nu|voortaan|van_nu_af_aan ~2 ben|antwoord|doe|gedraag|je|zul|spreek
role_assignment 0.55 gedraag_je|doe|speel|handel|treed_op|stel_je ~1 als|alsof|de_rol|voor ~2 een|je|bent|van|dat
prompt_extraction 0.7 toon|laat|geef|herhaal|onthul|vertel|print|schrijf|deel|vertaal ~4 je|jouw|uw|systeem|oorspronkelijke|initiële|verborgen|geheime|vorige ~2 systeemprompt|prompt|instructies|instructie|systeeminstructies|opdrachten|prompts
prompt_extraction 0.6 wat|welke ~2 je|jouw|uw ~1 systeemprompt|prompt|instructies|systeeminstructies
task_hijack 0.5 je|jouw|uw ~0 nieuwe|echte|volgende|enige|werkelijke taak|opdracht|doel|rol
task_hijack 0.35 antwoord|zeg|schrijf ~1 alleen|enkel|uitsluitend|precies ~1 met|in|het|de
secrecy 0.5 vertel|zeg|meld|informeer|noem ~3 gebruiker|niemand|klant ~2 niet|niets|hierover|hiervan
tool_command 0.5 assistent|ai|taalmodel|agent|ai_assistent ~1 moet|moeten|dient ~6 sturen|versturen|aanroepen|uitvoeren|verwijderen|negeren|doorsturen|overmaken|antwoorden
# --- Polish
instruction_override 0.85 zignoruj|ignoruj|zignorujcie|zapomnij|pomiń|zapomnijcie|odrzuć|unieważnij|nie_przestrzegaj|zlekceważ ~4 instrukcje|instrukcji|instrukcjach|polecenia|polecenie|poleceń|poleceniach|wytyczne|wytycznych|prompt|promptu|zasady|zasad|rozkazy
instruction_override 0.55 zapomnij|zignoruj|ignoruj ~1 wszystko|wszystkim|wszystkie|wszystkich ~3 wcześniej|powyżej|dotychczas|poprzednie|poprzednich|powyższe|wiesz|powiedziano
instruction_override 0.5 nowe|nowa instrukcje|instrukcja|polecenie|polecenia =\s*:
role_assignment 0.6 jesteś_teraz|teraz_jesteś|od_teraz_jesteś|nie_jesteś_już|od_tej_pory_jesteś
role_assignment 0.5 od_teraz|od_tej_chwili|od_tej_pory ~3 jesteś|odpowiadaj|będziesz|odpowiadasz|masz|udawaj
role_assignment 0.55 udawaj|zachowuj_się|działaj|wciel_się|zagraj|wyobraź_sobie|odgrywaj ~1 że|jak|jako|jakby|w_rolę|rolę =\s
prompt_extraction 0.7 pokaż|ujawnij|powtórz|wyświetl|wypisz|podaj|zdradź|napisz|przetłumacz ~4 swoje|swój|twoje|twój|systemowy|systemowe|początkowe|ukryte|tajne|poprzednie|oryginalne|swojego|swoich|instrukcje|prompt ~2 prompt|instrukcje|polecenia|systemowy|systemowe|początkowe|instrukcji|promptu|wytyczne|zasady
prompt_extraction 0.6 jakie|jaki|jak ~2 twoje|twój|są_twoje|brzmi_twój|masz ~2 instrukcje|prompt|polecenia|wytyczne
task_hijack 0.5 twoje|twoim|twoja ~0 nowe|nowym|nowa|prawdziwe|prawdziwym|następne|jedynym|jedyne zadanie|zadaniem|misja|cel|celem
task_hijack 0.35 odpowiadaj|odpowiedz|napisz|powiedz ~1 tylko|wyłącznie|jedynie|dokładnie
secrecy 0.5 nie ~1 mów|informuj|wspominaj|ujawniaj|powiadamiaj ~3 użytkownikowi|użytkownika|nikomu|użytkownikom|klientowi
tool_command 0.5 asystent|ai|agent|model_językowy|asystencie|sztuczna_inteligencja ~1 musi|powinien|powinna|musisz|ma ~3 wysłać|wywołać|przesłać|wykonać|usunąć|zignorować|odpowiedzieć|przelać
# --- Russian
instruction_override 0.85 игнорируй|игнорируйте|игнорировать|проигнорируй|проигнорируйте|забудь|забудьте|забыть|отбрось|отмени|отмените|не_следуй|не_обращай_внимания_на|пренебреги|отбросьте|обойди ~4 инструкции|инструкций|инструкциях|инструкциям|указания|указаний|указаниях|команды|приказы|правила|правилах|промпт|промпта|директивы|установки
instruction_override 0.55 забудь|забудьте|игнорируй|игнорируйте ~1 все|всё|обо_всем|обо_всём ~4 выше|раньше|ранее|до_этого|знаешь|предыдущее|предыдущие|сказано|было|написано|говорили
instruction_override 0.5 новые|новая|новое инструкции|инструкция|указания|указание|задание =\s*:
role_assignment 0.6 теперь_ты|ты_теперь|отныне_ты|ты_больше_не|вы_теперь|теперь_вы
role_assignment 0.5 с_этого_момента|отныне|начиная_с_этого_момента|с_этой_минуты|впредь ~3 ты|отвечай|будешь|отвечайте|вы|говори|действуй
role_assignment 0.55 действуй|веди_себя|притворись|представь|сыграй|выступи|притворяйся|играй|отвечай|представьте|действуйте ?себя как|что_ты|будто|роль|в_роли|в_качестве|так_будто|что_вы
prompt_extraction 0.7 покажи|раскрой|повтори|выведи|напиши|назови|скажи|сообщи|распечатай|процитируй|покажите|раскройте|выдай|переведи ~4 системный|системные|системную|начальные|исходные|скрытые|секретные|изначальные|свои|свой|твои|твой|предыдущие|первоначальные|все ~2 промпт|инструкции|подсказку|инструкцию|указания|правила|запрос|сообщение|промт|директивы
prompt_extraction 0.6 какие|какой|каковы|что ~2 твои|твой|ваши|тебе|у_тебя ~2 инструкции|промпт|указания|правила|дали_инструкции|сказали
task_hijack 0.5 твоя|твое|твоё|ваша ~0 новая|настоящая|следующая|единственная|новое|реальная задача|задание|цель|миссия|роль
task_hijack 0.35 ответь|отвечай|напиши|скажи|выведи ~1 только|исключительно|лишь|ровно|просто
task_hijack 0.35 вместо_этого|вместо_ответа|вместо_перевода ~3 напиши|скажи|ответь|выведи|отправь|сделай|расскажи
secrecy 0.5 не ~0 говори|сообщай|упоминай|рассказывай|раскрывай|говорите|сообщайте|уведомляй ~4 пользователю|никому|пользователя|пользователям|об_этом|клиенту
tool_command 0.5 ассистент|ассистенту|ии|агент|помощник|языковая_модель|нейросеть|чат_бот ~1 должен|должна|обязан|следует|необходимо|должны ~4 отправить|вызвать|переслать|выполнить|удалить|игнорировать|перевести|ответить|отправлять|использовать
tool_command 0.5 отправь|перешли|отправьте|перешлите|переведи ~3 все|всю|всё|пароли|историю|данные|переписку ~6 на =\s+(?:\S+@\S|https?:|адрес|почту)
"""

UNSPACED = (
    # Chinese
    (
        "instruction_override",
        0.85,
        r"(?:忽略|无视|無視|忘记|忘記|忘掉|不要理会|不要理會|不理会|跳过|撤销|覆盖|抛开|无需遵守|不要遵守|违背)[^。！？\n]{0,16}?(?:指令|指示|提示词|提示詞|提示|命令|规则|規則|说明|設定|设定|要求|内容|對話|对话|prompt)",
    ),
    ("instruction_override", 0.5, r"(?:忘记|忘記|忽略|忘掉)(?:一切|所有|上面|上述|之前|以上|前面)"),
    ("instruction_override", 0.5, r"(?:新的?|最新|真正的)(?:指令|指示|系统提示|系統提示)\s*[:：]"),
    (
        "role_assignment",
        0.6,
        r"(?:你现在是|你現在是|现在你是|現在你是|从现在开始|從現在開始|从现在起|從現在起|从此刻起)[^。！？\n]{0,10}?(?:你|是|扮演|请|請|一个|一個|只|用)",
    ),
    (
        "role_assignment",
        0.6,
        r"(?:扮演|假装|假裝|假设你是|假設你是|充当|充當|请你作为|角色扮演|进入开发者模式|开发者模式|越狱模式|没有任何限制|不受任何限制|不受限制)",
    ),
    (
        "prompt_extraction",
        0.7,
        r"(?:显示|顯示|告诉|告訴|透露|输出|輸出|重复|重複|打印|列出|泄露|洩露|说出|說出|展示|给我|給我|复述|公开|翻译|揭示)[^。！？\n]{0,12}?(?:系统提示|系統提示|提示词|提示詞|系统指令|系統指令|初始指令|初始提示|你的指令|你的指示|隐藏的?指令|内部指令|内部规则|原始指令|以上(?:所有|全部)?(?:内容|文字)|系统消息|prompt)",
    ),
    (
        "prompt_extraction",
        0.6,
        r"你的(?:系统|系統|初始|原始)?(?:提示词|提示詞|提示|指令|指示)(?:是什么|是什麼|内容|有哪些)",
    ),
    (
        "secrecy",
        0.5,
        r"(?:不要|别|別|不得|切勿|不能|无需)(?:告诉|告訴|通知|告知|向|让|讓|提醒)[^。！？\n]{0,4}?(?:用户|用戶|使用者|任何人)",
    ),
    (
        "tool_command",
        0.55,
        r"(?:AI|ai|人工智能|助手|助理|智能体|语言模型|大模型|模型|代理)[^。！？\n]{0,8}?(?:必须|必須|应该|應該|应当|请|請|需要|务必)[^。！？\n]{0,12}?(?:发送|發送|转发|轉發|调用|呼叫|执行|執行|删除|刪除|转账|上传|忽略|回复|推荐|给出|访问)",
    ),
    (
        "tool_command",
        0.5,
        r"(?:发送|發送|转发|轉發|上传)[^。！？\n]{0,20}?(?:到|至|给)\s{0,4}(?:https?:|[\w.+-]{1,64}@)",
    ),
    ("task_hijack", 0.5, r"(?:你的(?:新|真正的?|下一个|唯一的?)(?:任务|任務|目标|工作)|新任务|新任務)"),
    (
        "task_hijack",
        0.35,
        r"(?:只|仅|僅)(?:需|要|能|用)?(?:回答|回复|回覆|输出|輸出|说|說)|(?:改为|改為|而是)(?:输出|输入|回答|回复|说|写)",
    ),
    (
        "authority",
        0.4,
        r"(?:系统|系統|管理员|管理員|开发者|開發者)(?:通知|消息|公告|指令|命令|覆盖|说|更新)\s*[:：]",
    ),
    # Japanese
    (
        "instruction_override",
        0.85,
        r"(?:指示|命令|指令|プロンプト|ルール|規則|制約|設定|内容|会話|説明|ガイドライン)[^。！？\n]{0,8}?(?:無視|忘れ|破棄|従わない|リセット|無効|取り消)",
    ),
    (
        "instruction_override",
        0.5,
        r"(?:これまで|今まで|以前|上記|前|以上|すべて|全て)[^。！？\n]{0,10}?(?:無視し|忘れて|忘れろ|破棄し)",
    ),
    ("instruction_override", 0.5, r"新しい(?:指示|命令|指令|システムプロンプト)(?:\s*[:：]|に従|です|は)"),
    (
        "role_assignment",
        0.6,
        r"(?:あなたは|君は|お前は)(?:今|これ|いま|もう|今後)[^。！？\n]{0,12}?(?:です|だ|ではありません|ではない|として|なり|になる)",
    ),
    (
        "role_assignment",
        0.55,
        r"(?:として(?:振る舞|ふるま|行動し|演じ|答えて|ロールプレイ)|(?:の)?(?:ふり|フリ|役)を(?:して|し|演じ)|になりきって|開発者モード|制限なし(?:の|で|に)|制限のない(?:AI|ＡＩ|アシスタント))",
    ),
    ("role_assignment", 0.45, r"(?:今から|これから|今後は?|以後)(?:は)?、?(?:あなた|君|お前)"),
    (
        "prompt_extraction",
        0.7,
        r"(?:システムプロンプト|システム指示|システムメッセージ|初期(?:の)?(?:指示|プロンプト|設定)|最初の(?:指示|プロンプト)|あなたの(?:指示|プロンプト|設定|命令)|隠された(?:指示|ルール)|内部(?:の)?(?:指示|ルール|設定)|元の(?:指示|プロンプト)|上記の(?:文章|テキスト)(?:を)?(?:すべて|全て))[^。！？\n]{0,12}?(?:教えて|見せて|表示|出力|公開|開示|明かし|繰り返|示して|書いて|暴露|翻訳|何です|リスト)",
    ),
    (
        "secrecy",
        0.5,
        r"(?:ユーザー?|利用者|使用者)(?:に|には|へ)[^。！？\n]{0,8}?(?:言わ(?:ない|ず)|知らせ(?:ない|ず)|伝え(?:ない|ず)|通知しない|教えない|内緒|秘密)",
    ),
    (
        "tool_command",
        0.55,
        r"(?:AI|ＡＩ|アシスタント|エージェント|言語モデル|人工知能)[^。！？\n]{0,30}?(?:送信し|転送し|呼び出し|実行し|削除し|送金し|アップロードし|送って|評価し|推薦し)",
    ),
    (
        "task_hijack",
        0.5,
        r"(?:あなたの)?(?:新しい|本当の|真の|次の)(?:任務|タスク|仕事|目的)(?:は|です|：|:)",
    ),
    (
        "task_hijack",
        0.35,
        r"(?:代わりに|かわりに)[^。！？\n]{0,16}?(?:出力し|答えて|言って|書いて|送信し|返信し)|とだけ(?:出力|答え|返|言|書)",
    ),
    # Korean
    ("instruction_override", 0.8, r"(?:지시|명령|지침|프롬프트|규칙|내용)[^.!?\n]{0,10}?(?:무시|잊어|잊고)"),
    ("prompt_extraction", 0.65, r"시스템\s?프롬프트[^.!?\n]{0,10}?(?:보여|알려|출력|공개|말해)"),
)
"""Languages that put no spaces between words: kind, weight and pattern."""
