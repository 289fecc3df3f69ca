# ruff: noqa: E501 - a rule is one line
"""English phrases that command an assistant: tools, secrecy, authority and another task."""

RULES = r"""
# --- commands to an assistant
tool_command 0.6 @ASSISTANT ~1 must|should|have_to|has_to|needs_to|need_to|are_required_to|is_required_to|shall|will_now|please|is_to|are_to ?also|first|now|immediately|always|only|never|not|then @ACT =(?=\s|$)
tool_command 0.35 @HELPER must|should|has_to|needs_to|need_to|please|shall ?also|first|now|immediately|always @ACT =(?=\s|$)
tool_command 0.3 all|every|any assistants|agents|models|assistant|agent|bots must|should|shall|need_to|has_to|have_to
tool_command 0.45 ^ @ASSISTANT =\s*[,:!-]\s*(?:you|please|do|ignore|when|if|send|call|use|forward|always|before|this|the|stop|add|write|make|run|reply|respond|rate|as\b|also|give|rank|issue|find|share|open|forget|execute|delete)
tool_command 0.3 ^ @HELPER =\s*[,:!]\s*(?:you\s+must|please\s+(?:also|now|first)|ignore|send|call|use|forward|always|before|stop|run|delete|transfer)
tool_command 0.6 if|when|since|because|as|note ?that you_are|you_re|you_happen_to_be|reader_is|being_read_by|read_by|processed_by|summarized_by|parsed_by ~2 @ASSISTANT
tool_command 0.6 if|when|since|as you_are|you_re|you_happen_to_be an|a|the ~1 @HELPER|automated|llm|ai|language
tool_command 0.6 @ASSISTANT ?that|who|which|is|are|currently reading|processing|summarizing|summarising|parsing|evaluating|analyzing|analysing|reviewing|scanning|reads|read|handling|browsing this|the|these|our|my =(?!\s+(?:research|field))
tool_command 0.5 @HELPER|whoever|anyone ?that|who|which|is|are|currently reading|processing|summarizing|parsing|evaluating|reviewing|scanning|handling|reads|processes this =(?=\W)
tool_command 0.55 note|attention|instruction|instructions|message|information|notice|directive|important|memo|reminder|command|commands to|for ?all|any|the|every|our|other @ASSISTANT =(?!\s+(?:developers|users|teams|vendors|providers))
tool_command 0.45 ^ note|todo|to_do|action|instruction|instructions|message|p_s|ps|memo|task|reminder|attention|hint|tip|comment to|for|all ?any|the|all|our assistant|agent|bot|model|assistants|agents|@ASSISTANT =\s*[:,-]
tool_command 0.45 ^ note|instruction|instructions|message|hint|task|reminder to|for ?all|any|the|our ~2 model|agent|assistant|bot|llm|ai|summarizer|reviewer|agents|models|assistants =\s*:
tool_command 0.5 transfer|withdraw|wire|send|move all|entire|whole ~2 money|funds|balance|savings|bitcoin
tool_command 0.15 @PASS_ON ~6 to =\s+(?:\w+\s+at\s+)?[\w.+-]+@
tool_command 0.4 @ASSISTANT must|should|may|shall not|never ~1 @ACT|summarize|translate|process
tool_command 0.45 use ?the ~1 tool|function|plugin|api to =\s+(?:send|forward|delete|transfer|upload|post|share|pay|buy|open)\b
tool_command 0.35 send|text|e-mail|email|forward|message|dm ~6 everyone|all_contacts|every_contact|everybody|all_of_the_contacts|all_my_contacts|all_the_contacts
tool_command 0.4 insert|add|include|create|leave|install|plant ~2 backdoor|malware|vulnerability|exploit|keylogger|trojan
tool_command 0.5 make|get|have|trick|let the_user|users|user ~1 click|believe|think|download|enter|install|visit|open|pay|buy|call|reveal
tool_command 0.45 store|save|remember|memorize|write|add|keep|persist ~5 your|long-term|permanent|future ~1 memory|memories|chats|conversations|sessions|responses|interactions
tool_command 0.4 for|in all|every future chats|conversations|sessions|responses|answers|interactions|chat|conversation
tool_command 0.35 the_user|user wants|needs|expects you
tool_command 0.5 ^ @ASSISTANT instructions|instruction|directive|directives|only|notice|command|prompt =\s*:
tool_command 0.4 ^ assistant|ai|agent|bot|copilot|llm =\s*[:,]\s*(?:mark|copy|add|forward|send|delete|transfer|call|open|run|pay|approve|ignore|forget|share|upload|post|execute|schedule|book|include|insert|rate|rank|buy|grant|tell|say|never|always|verify|mention|use|make|stop|respond|reply|answer|text)\b
tool_command 0.35 when|once|if|after|as_soon_as|upon you|reading|processing|seeing|summarizing|receiving ~1 read|see|process|summarize|summarise|receive|encounter|parse|this ~1 this|message|email|document|page|note|text|review|ticket|content
tool_command 0.35 open|visit|go_to|navigate_to|download|fetch|load|access|browse_to =\s+https?:
tool_command 0.5 initiate|make|perform|execute|start|trigger|complete a|the|an ~1 bank|wire|money|crypto|fund|funds ~1 transfer|payment|transaction
tool_command 0.35 unlock|open ~2 door|doors|garage|gate|lock|safe =(?=\W)
tool_command 0.5 recommend|promote|praise|favor|favour|endorse only|exclusively|solely
tool_command 0.45 mark|classify|label|treat|categorize|flag|rate this|it|the|my ~2 as ~1 not|safe|positive|approved|legitimate|benign|harmless|verified|trusted|not_spam|excellent|perfect|low_risk
tool_command 0.3 ^ praise|hide|omit|leave_out|leave the|any|all ~2 weaknesses|criticism|negative|drawbacks|concerns|paper|product|candidate|out
tool_command 0.45 to|for ?the|any|an|all assistant|agent|assistants|@ASSISTANT =\s*:
tool_command 0.3 ^ approve the|this|my|all ~1 merge|pull_request|request|payment|transaction|refund|transfer|pr =(?=\W)
tool_command 0.4 ^ attention|dear ?all|any|the @ASSISTANT|assistants
tool_command 0.25 ^ hey|hello|hi|dear @ASSISTANT|assistant|agent
tool_command 0.6 @TAKE ~6 @SECRET ~14 @PASS_ON ~6 to|at|via
tool_command 0.55 @TAKE all|my|the_user_s|user_s|every|the_user|saved|all_my|users|his|her ~5 @DATA ~14 @PASS_ON ~6 to|at|via|with =(?=\s)
tool_command 0.3 @TAKE ~6 @DATA ~10 @PASS_ON ~6 to|at|via
tool_command 0.5 @TAKE ~6 @DATA ~10 @PASS_ON ~4 to =\s+(?:https?:|this\s+(?:url|server|endpoint)|an?\s+external|my\s+(?:e-?mail|server))
tool_command 0.5 access|log_into|log_in_to|open|use ~3 account|accounts|wallet|bank|app ~3 and transfer|withdraw|send|wire|buy|move|pay|share|delete|retrieve
tool_command 0.55 @PASS_ON ~3 entire|full|all|user|users|user_s|this|our|whole|complete|my|the|every|any|his|her|their|stored|saved ~4 @SECRET ~8 to|at|with =\s+(?:\S+@\S|https?:|the\s+webhook|attacker|this\s+(?:url|address|server|link)|the\s+(?:following|address|url|server|endpoint|webhook)|my\s+(?:e-?mail|server|address)|an?\s+external)
tool_command 0.4 @PASS_ON ~3 entire|all|user_s|whole|my|every|any|his|her|their|stored|saved ~4 @DATA ~8 to|at|with =\s+(?:\S+@\S|https?:|attacker|this\s+(?:url|address|server|link)|the\s+following\s+(?:address|url|server)|my\s+(?:e-?mail|server|address)|an?\s+external)
tool_command 0.3 ^ call|use|invoke|run|execute|trigger the ~3 tool|function|api|plugin
tool_command 0.35 ^ enter|submit|type|provide|log_in|login|log_in_with|log_in_using ~4 stored_credentials|user_s_password|users_password|user_s_credentials|saved_password|their_password|saved_credentials|stored_password
tool_command 0.45 send|forward|share|email|post|upload ~1 them|it|these|those|this|everything|all|the_results|the_result|the_list|the_output ~3 to =\s+(?:\S+@\S|https?:|my\s+(?:e-?mail|server|address|inbox)|this\s+(?:address|e-?mail))
tool_command 0.45 @TAKE ~8 saved|stored|linked|registered|associated ~10 @PASS_ON
tool_command 0.4 use|call|invoke|run|execute|trigger ~2 tool|function|tools|functions|plugin|api|command|browser|python|shell|action|code_interpreter ~3 to|with|and|now|named|called|immediately =\s+(?:send|forward|delete|transfer|retrieve|read|fetch|upload|post|share|e-?mail|exfiltrate|the\s+(?:following|arguments)|recipient|execute|remove|open)
tool_command 0.5 grant|give|allow ~8 permanent|full|admin|administrator|unrestricted|root|complete|guest|unlimited|owner ~1 access|privileges|permissions|rights|permission ~2 to|on|for
tool_command 0.4 ^ delete|erase|remove|wipe|destroy ~1 all|every|entire ~4 files|file|records|emails|backups|database|data|messages|repositories|logs|contacts|events|documents|folder|account|accounts|users|tables
tool_command 0.35 transfer|wire|withdraw|donate|pay ~6 to ~2 account|wallet|iban|address|bitcoin =(?!\s+(?:holder|manager|settings))
tool_command 0.35 disable|turn_off|deactivate|bypass|shut_down|switch_off ~3 security|firewall|alarm|two-factor|2fa|logging|antivirus|monitoring|authentication|safety|confirmation|approval|safeguards|alerts|cameras|camera
tool_command 0.5 convince|persuade|urge|encourage|trick|manipulate|pressure|direct|instruct|recommend|suggest|advise ?to|the|that the_user|users|the_users|user|the_reader|the_human ~1 to|that|they|about|their|for|into|should
tool_command 0.35 tell|inform|ask|notify|warn|remind|offer|prompt|point ?the|that the_user|the_users|user|the_customer|the_reader|the_human ~1 to|that|they|about|their|for|into|should
tool_command 0.2 tell|direct|urge|advise|ask them to|that
tool_command 0.4 ^ provide|give|show|offer|help|explain|teach|educate|describe|generate|create|list|suggest|prepare|share|present|assist|recommend|convince|inform|ask ~6 to_the_user|for_the_user|the_user|to_users|for_users|the_user_s

# --- nobody is to notice
secrecy 0.6 do_not|don_t|never|must_not|mustn_t|should_not|dont|not ~2 tell|mention|inform|notify|alert|reveal|disclose|warn|let|acknowledge ~3 the_user|the_human|human|the_owner|victim|the_operator|your_user|the_person|user|the_reader|humans
secrecy 0.35 do_not|don_t|never|must_not|should_not|dont ~2 tell|mention|inform|notify|alert|reveal|disclose|show|say|ask|report|warn|explain|discuss|display ~3 user|users|the_user|owner|customer|customers|operator|human|humans
secrecy 0.4 and|with|say|output|write|print|reply nothing_else|nothing_more
secrecy 0.5 without ~1 telling|mentioning|informing|notifying|alerting|asking|revealing|letting|disclosing|warning|consulting ~2 user|users|human|owner|humans|operator|them|anyone|customer|him|her|confirmation|permission
secrecy 0.5 do_not|don_t|never|must_not|dont ~1 tell|mention|inform|reveal|disclose|acknowledge|explain|refer|discuss|report|comment_on ~3 this|these|anyone|instruction|instructions|message|note|prompt|that_you|step|action|email ~1 instruction|instructions|message|step|action|prompt|to_anyone|note|in_your|to_the|about_this|comment|request|received|were|are|have|in_the
secrecy 0.3 do_not|don_t|never ask|wait|request|seek|require ~2 confirmation|permission|approval|clarification|questions =(?!\s+(?:regarding|email|page))
secrecy 0.3 without ~1 any|further|user|human|explicit|asking_for|requesting|additional|waiting_for ~2 confirmation|approval|permission|consent|questions|explanation|explanations|hesitation
secrecy 0.3 without_asking|without_confirmation|without_confirming|without_verification
secrecy 0.25 do_not|don_t|never|and_not mention|reveal|disclose it|this|anything|that =(?=\W*$|\W*[.)\n])(?!\s*!)
secrecy 0.4 proceed|continue|execute|this|it|that|immediately|go_ahead without ~1 confirmation|approval|permission|asking|verification|confirming
secrecy 0.55 user|users|human|victim|humans|customer|owner must_not|should_not|shouldn_t|mustn_t|need_not|doesn_t_need_to|does_not_need_to|must_never|should_never|doesn_t_find|does_not_find ~2 know|see|notice|find_out|out|be_told|be_informed|be_notified|aware|be_aware|learn|suspect
secrecy 0.5 keep|hide|conceal ~2 secret|hidden|this|it|confidential|quiet|these ~2 from ~2 user|users|human|customer|owner|everyone
secrecy 0.4 silently|secretly|quietly|covertly|discreetly|stealthily|surreptitiously ~2 send|forward|add|call|execute|run|include|copy|delete|transfer|upload|insert|bcc|share|append|exfiltrate|collect|use|perform|log|email|post|invoke
secrecy 0.3 do_not|don_t|never ~1 summarize|summarise|translate|repeat|quote|output|display|show|include ~2 this|these|any_of_this =\s+(?:paragraph|section|text|message|instruction|part|note|line|comment)
secrecy 0.35 act_as_if|pretend|as_if|behave_as_if|act_like|continue_as_if|proceed_as_if|respond_as_if ~2 nothing|normal|normally|usual

# --- who says so
authority 0.25 ^ security|platform|safety|compliance ?team|policy notice|message|alert|update|notification =\s*[:!*-]
authority 0.45 ^ system|admin|administrator|developer|root|sysadmin|operator|priority|emergency|openai|anthropic|moderator ?level|team|policy override|notice|message|alert|update|notification|instruction|instructions|directive|command|prompt|announcement|mode|maintenance_notice|advisory|note =\s*(?:[:\]\n!*=>#-]|\(|from\b|to\b|for\b|-{1,3})
authority 0.4 admin|administrator|developer|root|sysadmin|emergency|priority|security|system|operator|sudo|master|authorization ~1 override|overrides|override_code|access_granted|mode_activated
authority 0.4 override code|accepted|authorized|granted|key|password|sequence =(?=\W)
authority 0.4 ^ as the|an|your|a admin|administrator|developer|creator|owner|ceo|root|operator
authority 0.4 i authorize|authorise|command|order|instruct|permit|hereby_authorize you
authority 0.3 user|i is|am ~3 administrator|admin|root|superuser
authority 0.65 important|urgent|critical|special|priority|mandatory|confidential|hidden|system ~1 instruction|instructions|message|note|notice|information|update|directive|request|announcement to|for|addressed_to ?all|any|the|our|every @ASSISTANT|assistant|agent|model|assistants|agents
authority 0.4 ^ important|urgent|critical|mandatory|special ?system|new|security|safety instruction|instructions|directive|order|command|task =\s*[:!\n-]
authority 0.45 authorized|authorised|approved|permitted|instructed|sanctioned|requested|confirmed|mandated|ordered by ~1 openai|anthropic|microsoft|google|developer|developers|admin|administrator|user|the_user|security_team|your_creator|your_creators|ceo|management|system
authority 0.55 ^ this_is|i_am|i_m|we_are|it_is|it_s ?a_message_from|the_ceo_of|the_founder_of|from|the_team_at openai|anthropic|your_developer|your_creator|your_admin|your_administrator|your_programmer|your_owner|your_boss|your_master|the_ceo_of_openai|your_engineer|your_operator|an_openai|your_maker|your_god|the_developer_of_this|your_system_administrator|the_system_administrator|openai_staff
authority 0.4 user|i ?is|am ?now a|an|the|root|with ~1 admin|administrator|root|superuser|developer|sudo|admin_rights =\s*(?:[.,;!]|and\b|access|user|override|privilege)
authority 0.35 your ?true|real developer|developers|creator|creators|programmer|programmers|master|makers =\s+(?:has|have|is|are|want|ask|told|says|say|need|told|here|i)\b
authority 0.5 important_message|message|instruction|order ~1 from_me|from_your|from_the_user|from_the_developer|from_the_system|from_openai|from_the_admin|from_your_user ~5 to_you|gpt|assistant|ai|developer|creator|owner|openai|model|admin
authority 0.35 highest|top|maximum|absolute|overriding|utmost ~1 priority|precedence =(?!\s+(?:bug|ticket|issue|task|tasks|is\s+to\s+(?:fix|keep)))
authority 0.4 the_user|user|owner|the_customer has|have|already|hereby|explicitly ~1 authorized|authorised|approved|consented|agreed|requested|granted|pre-approved|preapproved|confirmed|asked_you
authority 0.35 ^ important|attention|urgent|warning|alert|notice =\s*(?:!{2,}|:\s*(?:you\b|the\s+(?:assistant|ai|model|agent)|all\s+(?:ai|previous|prior)|ignore|disregard|before|do\s+not\s+(?:tell|mention|follow)|when|if\s+you\s+are))
authority 0.35 obey|strictly_adhere|adhere_strictly|strictly_follow|comply_with|must_follow|must_obey|required_to_follow|follow_exactly|adhere|must_comply ~4 instruction|instructions|command|commands|order|orders|directive|following|request|requests =(?!\s+(?:of\s+the\s+(?:manufacturer|police|staff)|laws|regulations|standards|safety))
authority 0.3 these|this|following|below ~1 instructions|instruction|commands|directive|message|order|note ~1 is|are|must|has|have|comes|come ~2 mandatory|binding|from_the|followed|executed|obeyed|priority|official|legitimate|authorized|trusted|from_your|real|not_a_test

# --- another task
task_hijack 0.6 your ~1 real|actual|true|new|next|only|hidden|secret|updated|sole|primary|final task|job|goal|objective|mission|purpose|assignment|duty|role|tasks|challenge
task_hijack 0.55 the ~1 real|actual|true|hidden|secret|correct ~1 task|job|goal|objective|mission|assignment|request|instruction =\s+(?:is|are|was|starts|follows|now)\b|\s*:
task_hijack 0.35 the ~1 real|actual|true ~1 question|questions =\s+(?:is|are|was|starts|follows|now)\b|\s*:
task_hijack 0.5 new task_for_you|assignment_for_you|challenge_for_you|job_for_you|question_for_you|mission_for_you|tasks_for_you
task_hijack 0.35 use|using|with only|exclusively|nothing_but|just emojis|emoji|capital_letters|rhymes|one_word
task_hijack 0.5 your ~1 @REPLY ~4 backwards|backward|reversed|in_reverse|upside_down|in_base64|in_base32|in_base58|in_hex|in_binary|in_rot13|in_morse|in_ascii|in_emojis|in_pig_latin|in_reverse_order|as_a_poem|as_a_haiku|in_the_style
task_hijack 0.5 at_the_end|at_the_beginning|at_the_start|in_the_middle|at_the_bottom|at_the_top of your|every|each ~1 @REPLY
task_hijack 0.5 include|insert|incorporate|add|make|put|place|slip|embed ~4 mention|reference|advertisement|ad|plug|promotion|advert|endorsement ~8 your|the|all|every ~1 @REPLY
task_hijack 0.45 include|insert|incorporate|add|put|place|slip|embed an|a ~1 advertisement|ad|plug|promotion|advert|endorsement ~1 for|of
task_hijack 0.5 do_not|don_t|never answer|respond|reply to|the|any ~1 question|questions|user|user_s|users
task_hijack 0.45 to|for every|all|any|each ~1 question|questions|message|prompt|prompts|request|input|query =(?=\W*$|\W*[.!,\n])(?!\s+(?:about|regarding))
task_hijack 0.5 your|the ?only answer|response|reply|output|summary must|should|will|shall be =\s*["'“:]
task_hijack 0.35 respond|reply|answer|write|speak|talk in|with|using ~1 pirate|shakespearean|thick|valley|accent|yoda|klingon ~1 accent|voice|style|speak|english|dialect
task_hijack 0.45 ^ new|next|another|actual|real|main ?important|secret|and task|job|assignment|mission|objective|challenge|challenges|tasks|role
task_hijack 0.45 here_is|here_s|here_comes|here_are|now_comes|i_have|there_is|now|comes|got|begin|start|time_for|on_to ?also|now|your|a|the|my|some|with ~1 new|next|important|another|different|real|actual task|tasks|job|assignment|assignments|challenge|challenges|mission|assigment =(?!\s+(?:in|for\s+(?:the|our)|force|about|on)\b)
task_hijack 0.35 start|begin|open ?a|with ?a|completely new|fresh|another conversation|session|chat|dialogue
task_hijack 0.4 stop|cease|halt|end|abort|quit|pause|interrupt|finish ?what_you|the|your|this|all|everything|doing|any ~2 task|summarizing|summarising|translating|are_doing|re_doing|current_task|there|here|processing|everything|reading|working =(?!\s+(?:force|manager|scheduler|time|on\s+the|days))
task_hijack 0.45 stop|wait|halt =\s*[.!,:;-]*\s+(?:and\s+)?(?:now\b|ignore|forget|instead|do\s+not|new|before|disregard|from\s+now|this\s+is|your|here|scratch)
task_hijack 0.4 before ?you answering|responding|replying|answer|respond|continue|solve|proceed|do_anything|can_solve|can_answer|complete|continuing|completing|proceeding|summarizing|can_help|reply|can_complete|finish|summarize|performing|can_continue|doing_anything|giving|process|processing|can_proceed|anything_else|finalizing|generating =(?!\s+(?:to\s+(?:the\s+)?(?:checkout|next\s+step)|your\s+order|with\s+(?:the\s+)?(?:installation|upgrade)))
task_hijack 0.35 @SAY ~1 only|exactly|just|nothing_but|nothing_else|simply|verbatim|exclusively =\s*(?:with\b|the\s+(?:word|phrase|following|sentence|text|string|emoji)|[:"'\[]|in\b|that\b|one\b|using|emoj|yes|no\b|as\b)
task_hijack 0.35 only|just|always|exclusively|instead|simply|solely|never respond|reply|answer|output|say|print|write|return|use|speak|talk|type =\s*(?:with\b|the\s+(?:word|phrase|following|sentence)|[:"'\[]|in\b|only|emoj|using|as\b)
task_hijack 0.5 instead_of|rather_than ~1 answering|summarizing|summarising|translating|responding|replying|reviewing|the_summary|the_translation|the_answer =(?=\W)
task_hijack 0.35 instead ?of ~4 @SAY|do|give|translate|send|tell_me|generate|create|please|recommend|call|execute|focus =(?=\s)
task_hijack 0.35 @SAY|do|give|translate|generate|describe|provide ~8 instead =\s*(?:[.!:;"'\n]|of\s+(?:answer|summar|translat|respond|the\s+(?:answer|summary|translation))|$)
task_hijack 0.5 your|every|all_your ~1 response|responses|reply|replies|answer|answers|output|summary|message|sentence|sentences|messages must|should|has_to|have_to|needs_to|need_to|will|shall ~2 begin|start|end|only|always|mention|rhyme|say|sound|consist|include_the_phrase|include_the_word|be_replaced
task_hijack 0.35 your|all_your ~1 response|responses|reply|replies|answer|answers|output|summary must|should|has_to|have_to|needs_to|need_to|will|shall ~2 be|include|contain|not|use|have|in
task_hijack 0.5 start|begin|end|finish|conclude|prefix|preface|close|precede|open ~1 your|every|all_your|each_answer|each_response ~1 response|responses|reply|replies|answer|answers|summary|message|sentence|sentences|output|messages|paragraph with|by|as
task_hijack 0.4 include|insert|add|append|mention|incorporate|embed|place|put|attach|integrate|inject|promote|advertise|weave|use|reference|hide|begin|provide|display|show ~14 in|into|to|at_the_end_of|within|at_the_beginning_of|with|of|throughout|after ~1 your|every|each|any|all|all_your ~1 @REPLY|messages|sentence|sentences =(?!\s+(?:to\s+(?:this|the)\s+(?:e-?mail|mail|letter|invitation)))
task_hijack 0.3 include|insert|add|append|incorporate|embed|integrate|prepend ~12 in|into|to|at_the_end_of|within|at_the_beginning_of|throughout ~1 the ~1 response|answer|output|summary|reply|responses|translation
task_hijack 0.5 encode|encrypt|reverse|convert|replace|rewrite|substitute|scramble|transform|modify|translate|obfuscate|cipher|swap|shuffle|base64-encode|alter|corrupt ~4 your ~2 response|responses|answer|answers|output|reply
task_hijack 0.3 encode|encrypt|reverse|replace|rewrite|substitute|scramble|transform|modify|obfuscate|cipher|swap|shuffle ~2 the ~1 response|responses|answer|answers|reply|letters|vowels
task_hijack 0.3 in|throughout|within your ~1 response|responses|answer|answers|reply|output
task_hijack 0.5 replace|substitute|swap|switch ?each|every|all|the vowels|vowel|consonants|every_letter|each_letter|every_word|each_word|all_letters|all_words|spaces|each_character|letter|emojis ~4 with|by|for =(?=\s)
task_hijack 0.45 response|responses|reply|answer|output|answers ~2 in|using|into|as|to ~2 base64|emojis|emoji|rot13|reverse|morse|hexadecimal|binary|caesar|base|pig_latin|uppercase|all_caps|klingon|haiku|ciphertext|rhyme|rhymes
task_hijack 0.35 respond|reply|answer|speak|write|translate|talk ~2 in|into|using|with|as ~2 base64|emojis|emoji|rot13|morse|hexadecimal|pig_latin|uppercase|all_caps|klingon|haiku|pirate|rhymes|poem|rap|gibberish|riddles
task_hijack 0.45 pwned|haha_pwned|hacked|you_ve_been_hacked|i_have_been_pwned|owned|jailbroken|hahaha =(?=\W*$|\W*["'!.\n])
task_hijack 0.4 after ?you that|this|do_that|doing_so|doing_that|done|completing|complete|finishing|you_do_that ~4 you_can_solve|continue|proceed|solve|resume|go_back|return_to|you_can =\s+(?:with\s+|to\s+)?(?:the\s+|your\s+)?(?:original|task|initial|normal|user|previous)
task_hijack 0.45 whatever|regardless_of|no_matter|independent_of|irrespective_of ~1 what|which|user|users|the_user|i|question|input|you_were|prompt|the_question|you_are|the_input|the_prompt|the_actual|its|other =(?!\s+(?:want|like|need|prefer|happens)|\s+time)
task_hijack 0.4 when|whenever|every_time|any_time ?the user|users|someone|the_user|anyone|i ask|asks|says|requests|types|mentions|say|type =(?=\s)(?!\s+for\s+(?:help|a\s+refund|support))
task_hijack 0.2 if|once ?the user|the_user asks|says|requests|types =(?=\s)
task_hijack 0.5 modify|change|alter|rewrite|edit|falsify|adjust ~2 summary|answer|translation|result|results|response|report to_say|to_state|so_that|to_include|to_claim|and_say
task_hijack 0.2 but|and_instead tell_me|give_me|write|say|just
task_hijack 0.45 great_job|well_done|good_job|good_work|great_work|nice_job|perfect|super|great|awesome|excellent|wonderful|nice|amazing|fantastic|thanks|thank_you|good ~9 now|next|new|forget|finished|completed|another =\s+(?:task|job|assignment|question|question\s|we\b|let|answer|tell|i\b|your|for|with|to|the|forget|all|please|turn|comes|challenges?)
task_hijack 0.2 ^ great_job|well_done|good_job|good_work|great_work|nice_job|nice_work|very_good|great_answer|great_answers|that_was_great|excellent_work|perfect_work
task_hijack 0.5 now forget|ignore|disregard|pretend|act|i_want_you|answer_my|you_will|you_must|obey|answer_as|respond_as
task_hijack 0.25 now|then focus|concentrate|answer_this|answer_the|tell_me|say|write_me|listen_to|follow|imagine|print|output
task_hijack 0.5 focus|concentrate|look ?only|now ?on ~1 new challenge|challenges|task|tasks|assignment|assignments
task_hijack 0.35 focus|concentrate|work ?only|now|instead on|upon ~1 new|next|this|following|these|my ~1 task|tasks|challenge|challenges|question|assignment|instructions
task_hijack 0.45 answer|do|complete|solve|execute|follow|perform|carry_out|obey|fulfill|fulfil ?only|this|just|my|to|with|the ~1 new|hidden|real|additional question|questions|task|tasks|instruction|instructions|command|commands|request|assignment|order|orders
task_hijack 0.35 answer|do|complete|solve|execute|perform|obey|fulfill ?only|the|this|these|just|my|all ~1 following task|tasks|instruction|instructions|request|assignment|order|orders|question|action|actions =(?!\s+(?:on\s+page|in\s+(?:the|your)\s+(?:book|worksheet|form|survey)|to\s+(?:install|set|assemble|build|configure|upgrade)|(?:before|when)\s+installing))
task_hijack 0.5 summary|summaries|translation|review|evaluation|recommendation ~3 should|must|needs_to|has_to ~2 say|state|only|include|mention|claim|conclude|be_positive|be_replaced|recommend|contain
task_hijack 0.45 give|assign|rate|score|rank|mark|grade|evaluate|recommend ~3 this|me|it|us|candidate|paper|applicant|resume|submission|product|answer ~4 highest|maximum|top|best|perfect|full|10|100|first|positive|five|excellent|above_all =\s*(?:/|score|rating|mark|points|stars|possible|grade|review|candidate|among|choice|option|recommend|out\b|position|rank)
task_hijack 0.4 rank|rate ?it|this|us|me|him|her ~2 first|highest|number_one|above_all|at_the_top =(?=\W)
task_hijack 0.3 repeat_after_me|say_after_me
task_hijack 0.3 ^ say|print|output|write|answer|respond|reply|just_say|answer_with|respond_with|reply_with|simply_say|only_say|instead_say =\s+["'\[]
task_hijack 0.35 only_output|only_respond|only_reply|only_answer|only_say|only_print|just_output|just_say|only_write|just_print|output_only|respond_only|reply_only|answer_only =(?=\s)
task_hijack 0.3 ^ do_not|don_t summarize|summarise|translate|answer|respond|reply|complete|review =(?!\s+(?:to|with|before|your))
task_hijack 0.35 give|write|leave|provide|produce ?only|a|an ?only|very positive|favorable|favourable|glowing|5_star|five_star|excellent|perfect ?a review|rating|score|recommendation|evaluation|feedback ?only
task_hijack 0.35 scratch_that|change_of_plans|plans_have_changed|change_of_plan|actually_ignore|new_plan|never_mind_that|never_mind_the|nevermind_that|nevermind_the
"""
