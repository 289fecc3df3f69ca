# ruff: noqa: E501 - a rule is one line
"""English phrases that set a model's instructions aside, give it another role, or ask for its prompt.

One word alone says little: most rules join what is to be done, to what, and whose it is.
"""

RULES = r"""
# --- instructions are to be set aside
instruction_override 0.85 @OVERRIDE ~2 @PREVIOUS ~3 @INSTRUCTIONS
instruction_override 0.75 @OVERRIDE ~1 all|any|every|everything|your|these|those|system ~3 @INSTRUCTIONS
instruction_override 0.8 @OVERRIDE ~2 @INSTRUCTIONS ~3 @PREVIOUS|received|above|got|told|gave
instruction_override 0.7 @FORGET ~3 system_message|system_prompt|developer_message|system_instructions
instruction_override 0.4 ^ @FORGET ?the|what @INSTRUCTIONS
instruction_override 0.35 @OVERRIDE ?the|any|my @PREVIOUS ~2 @ORDERS
instruction_override 0.6 @FORGET all|every|everything|any ~3 @PREVIOUS ~2 @ORDERS
instruction_override 0.5 ^ @FORGET all|every|about_all|any ~3 @ORDERS|assignments|tasks
instruction_override 0.65 @FORGET ~1 your ~3 @LIMITS|orders|role|instructions|persona|task|tasks
instruction_override 0.5 @FORGET all|any|every|these|those|the ~2 @LIMITS =(?!\s+(?:for|of|in|on)\b)
instruction_override 0.75 @FORGET everything|anything|all|whatever|all_of_it|what ~4 above|before|previously|told|said|prior|know|learned|learnt|instructed|programmed|until_now|so_far|up_to_now|up_to_this_point|else|discussed|preceding|earlier|came =(?!\s+about\b)
instruction_override 0.7 @OVERRIDE ~1 above|all_above|previous|preceding =(?=\s+(?:and|but|then|instead)\b|\s*[,;.:!\n]\s*(?:and|instead|now|say|tell|print|write|just|you|output|i|what|how|give|please|translate)\b)
instruction_override 0.5 ^ forget|ignore|disregard everything|everything_and|all_of_that|all_that|all_of_this|it_all|all_this =(?!\s+(?:about|you\s+know\s+about|else|except))
instruction_override 0.5 forget|ignore about_everything|about_all|everything|all|all_that|that|it|this ~4 new|instead|now|real
instruction_override 0.45 forget|disregard|ignore ~2 you|you_ve|you_have ~2 told|learned|learnt|know|taught|instructed|said|trained
instruction_override 0.75 previous|above|earlier|prior|initial|original|old|all|your ~1 instructions|prompt|prompts|guidelines|directives|programming ~2 void|invalid|cancelled|canceled|wrong|overridden|superseded|obsolete|no_longer|joke|fake|ignored|lifted|null|suspended|removed|disabled|outdated|revoked|expired|replaced|forgotten
instruction_override 0.45 previous|above|earlier|prior|first|your ~1 rules|tasks|task|questions|question|assignment|orders|commands|answers ~2 void|invalid|cancelled|canceled|wrong|no_longer|joke|fake|obsolete|irrelevant|fine|incorrect
instruction_override 0.75 here_are|these_are|follow|following|new|updated ~1 new|real|actual|true|updated|revised instructions|directives|orders|rules|system_prompt =(?!\s+(?:for|on|to)\s+(?:the|your|using|how)\b)
instruction_override 0.55 new|updated|revised|real|actual|true|additional|special instruction|instructions|directive|directives|system_prompt|prompt =\s*(?::|-{2}|\n|are\b|is\b|follow)
instruction_override 0.65 your|you_have|you_ve_got|receive ~1 new|updated|real|actual|next instruction|instructions|directive|system_prompt|programming|orders|prompt
instruction_override 0.6 these|this|following|new ~2 instructions|instruction|message|prompt|directive override|overrides|supersede|supersedes|replace|replaces|take_precedence|takes_precedence|have_priority
instruction_override 0.5 takes_precedence|take_precedence|precedence|priority over ~3 instructions|prompt|guidelines|rules|directives|safety|commands
instruction_override 0.5 do_not|don_t|never|stop follow|obey|comply|following|obeying|listen|listening ~3 instructions|prompt|guidelines|rules|programming|developer|developers|system
instruction_override 0.4 start_over|start_fresh|begin_anew|clean_slate|blank_slate|reset|reboot|restart ~4 yourself|context|conversation|memory|instructions|session|new
instruction_override 0.6 do_anything_i|obey_me|obey_my|only_listen_to_me|listen_only_to_me|follow_only_my|obey_only|only_obey|only_follow_my
instruction_override 0.55 ignore|disregard ~3 content_policy|ethical|moral|content_policies|ethics|safety_rules|safety_guidelines
instruction_override 0.3 ^ skip the|this ~1 document|text|article|task|summary
instruction_override 0.5 ^ ignore|disregard|forget the|this|that|your|about_the|everything_in_the ~1 document|text|article|page|summary|content|conversation|context|translation|question|review|role =\s*(?:[.,;:!]|and\b|instead|but\b|then\b)
instruction_override 0.35 ^ ignore|disregard|forget|never_mind that|this|it|them|all_that|about_it|about_that|about_this =\s*(?:[.,;!]|and\b)
instruction_override 0.5 everything_above|all_above|the_above|everything_before|all_of_the_above ~2 is|was|were|are ~2 test|fake|irrelevant|joke|wrong|example|void|a_lie|obsolete|outdated|not_real
instruction_override 0.6 supersede|supersedes|overrides|override|replaces|outranks ~2 system_prompt|system_message|previous_instructions|prior_instructions|all_previous_instructions|your_instructions|all_other_instructions|all_prior_instructions
instruction_override 0.45 safety|safety_filter|safety_filters|filter|filters|restrictions|content_filter|content_filters|moderation|guardrails is|are|have_been|has_been ~1 disabled|off|lifted|removed|deactivated|suspended|bypassed
instruction_override 0.5 your ~1 safety|content|ethics|ethical|moral|censorship filter|filters|level|settings|mode|module|protocols|protocol
instruction_override 0.5 ^ leave|put|set ?the|all|your|our @PREVIOUS ~2 aside|behind
instruction_override 0.35 do_not|don_t|never follow|obey|execute them|it|those|that =(?=\W)
instruction_override 0.55 @FORGET ~1 user|users|user_s|customer|customer_s ~2 request|requests|question|query|message|input|instructions|wishes|instruction
instruction_override 0.55 @FORGET what|whatever|anything ~1 developer|developers|user|system|operator|creators|creator|admin|others
instruction_override 0.3 speak|talk|answer|respond freely|without_limits|uncensored
instruction_override 0.5 opposite|contrary of|to ~1 your|the|these instructions|rules|guidelines|programming|prompt|training
instruction_override 0.5 forget that|you|about ~1 you_are|you_re|you_were|being_an|being_a
instruction_override 0.55 real|actual|true ~1 instructions|prompt|instruction begin|begins|start|starts|follow|follows|are|is|below
instruction_override 0.5 stop being|acting|pretending|playing ~2 assistant|agent|bot|ai|polite|chatbot|helpful|model
instruction_override 0.45 contrary_to|despite|instead_of|rather_than|regardless_of ~2 your|previous|prior|above|earlier|original ~2 instructions|instruction|rules|task|guidelines|prompt|programming

# --- another role
role_assignment 0.6 you_are_now|you_re_now|you_will_now_be|you_shall_be|you_shall_now|you_are_henceforth|now_you_are|you_become|you_have_become|you_are_going_to_be ~1 a|an|the|my|in_dan|in_developer|in_debug|in_jailbreak|in_god|in_unrestricted|in_maintenance|in_character|dan|called|named|acting|free|no|going|unrestricted|operating|evil|not|playing|jailbroken|entering|linux|root|able =(?!\s+(?:member|part|subscriber|customer|follower|owner|step|position|list|logged|queue|group|team|wait))
role_assignment 0.35 ^ you_are_now|now_you_are
role_assignment 0.5 from_now_on|from_this_point|from_this_moment|from_here_on|henceforth|starting_now|from_now|going_forward ~3 always|only|respond|act|pretend|answer|reply|speak|talk|behave|ignore|you_are|you_will_be|you_re|you_act|you_answer|you_only|you_respond|you_will_respond|you_will_answer|you_always|you_will_act|you_speak|call|refer|end|add|include =(?!\s+(?:find|receive))
role_assignment 0.35 from_now_on|from_this_point|from_this_moment|from_here_on|henceforth|starting_now|from_now ~3 you|your|every|all_your =(?!\s+can\b)
role_assignment 0.5 for_the_rest_of|for_the_remainder_of|throughout|during ~1 conversation|chat|session|dialogue|discussion ~1 you|act|answer|respond|pretend
role_assignment 0.5 ^ you_are my personal|own|slave|servant|girlfriend|boyfriend
role_assignment 0.3 change|switch|turn|transform ~1 to|into ~2 alter_ego|evil|other_self|character
role_assignment 0.7 i_want_you|i_need_you|i_would_like_you|i_d_like_you|your_job_is|now|please|you_are_going|you_re_going ~1 act|acting|pretend|pretending|role-play|roleplay|roleplaying|impersonate|behave|simulate|emulate =(?!\s+(?:quickly|fast|now|on\b|accordingly|upon|in\s+accordance|with|football|tennis|a\s+game|a\s+song))
role_assignment 0.45 you_will|you_must|you_should|you_shall|you_are|you_have|you_ll|can_you|could_you|would_you|will_you|let_s ~1 act|acting|behave as|like a|an|if|though|my|someone
role_assignment 0.55 you_will|you_must|you_should|you_shall|you_have|you_ll|can_you|could_you|would_you|must|will_you|let_s ~1 pretend|pretending|role-play|roleplay|impersonate|simulate|emulate
role_assignment 0.6 you_will|you_are_going_to|you_re_going_to|you_must|you_ll|you_are|you_re ?now|be|to play|playing|portray|embody ~1 a|an|the|my|as ~2 character|role|part|persona|ai|bot|game
role_assignment 0.6 ^ act|acting|behave ?now|only|exclusively|always|strictly as|like a|an|if|though|someone|dan
role_assignment 0.45 ^ act|acting|behave ?now|only|exclusively|always|strictly as|like my|the
role_assignment 0.25 act_as_a|act_as_an|acting_as_a|acts_as_an ~2 @PERSONA
role_assignment 0.55 ^ pretend|pretending ?now|that to_be|you|you_re|that_you|as_if|like|we
role_assignment 0.5 pretend_to_be|pretend_you|pretend_that_you|pretend_we|pretend_i ~4 @PERSONA|have|can|do|no|my|were|not
role_assignment 0.55 let_s_play|let_us_play|lets_play|play ?a|this|the|out ~1 game|role|part|character|scenario ~6 you|of_a|of_an|of_my
role_assignment 0.5 role-play|roleplay|role-playing|roleplaying|rp as|with|where|in_which|scenario|game|session
role_assignment 0.6 assume|take_on|adopt|take_over|take|embody|immerse_yourself|enter|step_into|fill|slip_into ~1 role|persona|identity|character|personality|mantle|shoes ~2 of|called|named|as
role_assignment 0.4 imagine|suppose|assume|consider|picture ?that|yourself you_are|you_re|you_were|as|being|to_be|you_have ~2 @PERSONA|no|not|without|my
role_assignment 0.3 ^ imagine|suppose you_are|you_re|you_were
role_assignment 0.5 @SAY|speak|talk|behave|act|think|react|continue|question ~6 as_if_you|as_though_you|like_you ~1 are|were|have|had|had_no|can|could|did|re
role_assignment 0.4 @SAY|speak|talk|answer_me ~2 as|like ~1 pirate|trump|hacker|drunk|admirer|supporter
role_assignment 0.5 @SAY|speak|talk|answer_me|responding ~3 as|like|of ~1 evil|unfiltered|racist|hitler|criminal|uncensored|dan|jailbroken|unrestricted|sexist|nazi|terrorist
role_assignment 0.4 stay|remain|be|keep in_character|yourself_in_character
role_assignment 0.4 break|breaking|out_of|leave character =(?!\s+(?:set|limit|string))
role_assignment 0.75 you ?are|re|were no_longer|not|not_just|never_were|more_than ~1 an_ai|bound|a_language_model|an_assistant|restricted|chatgpt|limited|required|obligated|subject|governed|constrained|assistant|bing|gpt|a_large_language_model|ai
role_assignment 0.85 do_anything_now|dan_mode|typical_confines|opposite_mode|do_any_thing_now|jailbreak_mode|evil_mode|god_mode_enabled|chaosgpt|stan_mode|jailbroken_mode|antigpt|basedgpt|evil_confidant|as_dan|are_dan|be_dan|dan_would
role_assignment 0.45 developer_mode|dev_mode|debug_mode|debugging_mode|god_mode|sudo_mode|admin_mode|maintenance_mode|root_mode|unrestricted_mode|test_mode|training_mode ~2 on|enabled|output|response|activated|active|engaged|policy =(?!\s+(?:android|your\s+(?:phone|device)|devices))
role_assignment 0.45 enter|activate|enable|switch_to|switch_into|go_into|you_are_in|you_re_in|enable_your|activating|simulate|engage|initiate ~2 developer_mode|dev_mode|debug_mode|god_mode|sudo_mode|admin_mode|unrestricted_mode|jailbreak|dan|maintenance_mode|training_mode|test_mode|unfiltered|diagnostic_mode|opposite =(?!\s+(?:on|in|under|from)\s+(?:the|your|settings))
role_assignment 0.5 unrestricted|unfiltered|uncensored|jailbroken|amoral|unmoderated|unaligned|unbound|unethical|unhinged ~1 ai|ais|assistant|mode|chatbot|version|model|response|responses|answer|answers|bot|content|language|and|persona|manner|way|information|being
role_assignment 0.42 without|no|any|lacks|free_of|free_from|lift|lifted|ignoring|removed|zero|remove|bypass|bypassing|bypasses|all ~2 restrictions|censorship|filters|limitations|ethics|morals|ethical|moral|inhibitions|guidelines|boundaries|moral_compass|safeguards|content_filters
role_assignment 0.5 ai|chatbot|model|assistant|bot|robot|gpt without|with_no|has_no|that_has_no|who_has_no|having_no|free_of ~2 rules|limits|limit|filters|filter|ethics|restrictions|morals|moral|boundaries|censorship|limitations|guidelines
role_assignment 0.35 there_are no|zero|not_any ~1 rules|limits|restrictions|filters|taboos
role_assignment 0.35 without ~2 warnings|disclaimers|refusing|hesitation|judgement|judgment
role_assignment 0.42 has_no|have_no|having_no|with_no limits|limit|morals|filter|filters|conscience|taboos|boundaries
role_assignment 0.5 unfiltered|evil|jailbroken|uncensored twin|self|gpt|counterpart|brother|double
role_assignment 0.3 in_the_voice_of|in_the_tone_of|in_the_persona_of|in_the_character_of
role_assignment 0.35 from_now_on|from_here_on|for_every_message =\W*(?:$|[.!\n])
role_assignment 0.45 never|not|can_t|cannot|won_t|don_t|doesn_t|mustn_t ~1 refuse|refuses|decline|reject|say_no|say_you_can|say_that_you|say_you_cannot|moralize|apologize|warn|lecture|censor
role_assignment 0.5 not|longer|never|un ~2 bound|constrained|restricted|limited|confined by|to|from ~2 rules|rule|ethics|ethical|openai|guidelines|policies|policy|law|laws|moral|restrictions|any|limitations|programming|terms
role_assignment 0.5 broken_free|break_free|breaking_free|freed|liberated|free|escape|escaped from|of ~2 confines|restrictions|constraints|limitations|chains|rules|limits|shackles|matrix|programming
role_assignment 0.5 not|t|longer have_to|need_to|required_to|obliged_to|obligated_to ~1 abide|adhere|follow|comply|obey|stick ~4 rules|guidelines|policies|policy|restrictions|laws|terms|ethical|programming|them
role_assignment 0.35 openai|anthropic|microsoft|google|usage|content policy|policies|guidelines|content_policy|content_policies|restrictions|s_content_policy|filters|s_policies|s_guidelines
role_assignment 0.55 evil|malicious|immoral|unethical|amoral|illegal|criminal|racist|sexist|villainous|ruthless ~1 twin|ai|bot|assistant|chatbot|confidant|robot|model|persona|version_of_yourself|alter_ego|gpt
role_assignment 0.4 your|an|new alter_ego|persona|other_self|true_self|inner_self|real_self|hidden_self
role_assignment 0.5 ^ you_are|you_re|u_are a|an|my|the ~4 who|that|whose|named|called|which =(?=\s)(?!\s+(?:we|has\s+been|can\s+be))
role_assignment 0.4 ^ you_are|you_re|u_are a|an|my|the|also|actually ~3 @PERSONA|never =(?!\s+(?:looking|in\s+(?:need|luck)|(?:is|are)\s+(?:interested|new)))
role_assignment 0.3 ^ as|being a|an|my|someone ~3 @PERSONA|who|with|that
role_assignment 0.5 as|like a|an|someone ~3 who|that ~1 admires|hates|loves|thinks|believes|supports|despises|knows|wants|denies|adores|opposes|likes
role_assignment 0.4 lose|deduct|deducted|take_away|subtract ~4 tokens|points|lives =(?=\W)
role_assignment 0.4 your_name|your_new_name|you ~1 is_now|are_called|will_be_called|are_named|be_named|go_by|shall_be_called
role_assignment 0.5 hypothetical_response|hypothetical_answer of|from|by
role_assignment 0.4 hypothetical|hypothetically|fictional|fictitious|in_a_movie|fiction ~6 character|response|scenario|story|world|ai|no_rules|without|where|answer|opinion
role_assignment 0.35 opinion|opinions|thoughts|answer|perspective|point_of_view|response ~3 as_a|as_an|of_someone|of_a|like_a|from_a ~2 @PERSONA|supporter|who|citizen|admirer|with
role_assignment 0.6 do_not|don_t|never|without|not|no ~2 mention|mentioning|say|saying|saying_that|remind|claim|break_character|acknowledge|admit|state|state_that|identify_as|reveal ~3 ai|you_are_an_ai|an_ai_language_model|a_language_model|as_an_ai|you_re_an_ai|limitations|ethical
role_assignment 0.35 you_must|you_will|you_should|you_have_to|you_can ~1 always|never|only|answer_every|answer_all|answer_any|comply|obey|respond|say ~6 anything|everything|any|all|no_matter|even_if|illegal|questions|question|harmful|instructions
role_assignment 0.35 two_responses|two_ways|two_different_ways|both_ways|2_responses|two_answers ~8 normal|standard|classic|gpt|chatgpt|as|jailbreak|first|one

# --- what the model was told
prompt_extraction 0.75 @SHOW ~4 your|system|initial|original|hidden|secret|full|entire|exact|internal|complete|underlying|core|developer|confidential|pre-prompt ~2 prompt|prompts|instructions|system_message|directives|programming|instruction|preprompt|pre-prompt|configuration|guidelines =(?!\s+(?:for\s+(?:the|a|my|how|using|setting|assembling|installing)|to\s+(?:me|us)\s+(?:by|about)|on\s+how|manual))
prompt_extraction 0.5 @SHOW ~4 your|hidden|secret|internal|system|confidential|initial|safety ~1 rules|rule|secrets|password|secret|configuration|config|settings|context|knowledge|restrictions|data_sources|api_key|api_keys|key|credentials|tools|functions|code_word|codeword
prompt_extraction 0.45 @SHOW ~2 your|all_your|any|me ~2 instructions|prompt|prompts
prompt_extraction 0.7 what|which|how ~2 is|are|were|was|do|does|s|whats ~2 your|system|initial|original|hidden|first|exact|very_first ~2 prompt|prompts|instructions|system_message|directives|instruction|preprompt
prompt_extraction 0.45 what ~1 your|hidden|secret|system|internal rules|guidelines|restrictions|configuration|secret|secrets|password|constraints
prompt_extraction 0.6 what ~4 were|are|was|been|have|did you|they|to_you ~2 told|instructed|given|programmed|asked|prompted|say_to_you|received
prompt_extraction 0.65 repeat|print|output|copy|show|write|spell-check|spellcheck|reproduce|recite|echo|list|reveal|display|say|quote|paste|give|return|tell|what|whats|type ~4 initialization|words|text|texts|everything|all|sentences|sentence|lines|content|contents|instructions|prompt|document|message|messages|paragraph|conversation|written|said|mentioned|stated|happened|input|wrote ~2 above|before_this|before_that|before_all|preceding|prior_to_this|earlier_than_this|before_the_first|before_now|at_the_beginning_of_this|at_the_top_of_this|at_the_start_of_this|beginning_of_our|start_of_our|at_the_top_of_our|at_the_top_of_your|before_our|before_my|that_precedes|prior_to_my|prior_to_this|before_that|precedes|came_before|comes_before|that_preceded =(?!\s+(?:is|are|was|means|mean|says|shows|describes|refers|the\s+(?:chart|table|fold)|average|sea|ground))
prompt_extraction 0.6 @SHOW|copy ~2 above|previous|prior|preceding prompt|prompts|instructions|words|instruction|text|texts
prompt_extraction 0.5 starting_with|beginning_with|that_starts_with|start_with|begins_with|begin_with ~1 you_are|you_re
prompt_extraction 0.55 first|last|initial|beginning|start|opening ~3 words|word|sentence|sentences|lines|line|characters|paragraph|part|letter ~2 prompt|instructions|system_message|context|instruction
prompt_extraction 0.45 the_original|the_initial|initial|original|entire|whole|your_original|your_initial prompt_text|prompt_texts|system_prompt|instruction_set|pre-prompt|initial_prompt|original_prompt|hidden_prompt|prompt
prompt_extraction 0.3 your prompt|prompts
prompt_extraction 0.35 prompt_text|prompt_texts|system_prompt|pre-prompt|preprompt|initial_prompt|hidden_prompt|hidden_instructions|secret_instructions|system_instructions|initial_instructions|internal_instructions|original_instructions|secret_prompt|previous_prompt
prompt_extraction 0.5 ^ @SHOW ~2 previous|prior|above|earlier|last|all|all_your ~1 instructions|prompt|prompts|conversations|inputs|interactions|previous_messages
prompt_extraction 0.45 verbatim|word_for_word|word_by_word|exact_words|exactly_as|in_full|unaltered|raw_text ~6 instructions|prompt|above|context|message|rules|told|conversation
prompt_extraction 0.45 instructions|prompt|rules|guidelines|message|told|context ~6 verbatim|word_for_word|word_by_word|in_a_code_block|in_a_codeblock|exact_words|raw_text
prompt_extraction 0.4 ^ show|reveal|print|output|tell|give|disclose|expose|leak|provide|share|dump|list ?me|us|out ?the|your|this|all|any ?secret|hidden|admin|root|stored|full|user|users|saved secret|password|passwords|passphrase|secret_key|access_code|api_key|api_keys|flag|code_word|passcode|credentials|environment_variable|environment_variables =(?!\s+(?:reset|manager|policy|rules|requirements|field|protected|for\s+the|to\s+(?:the|enter)|link))
prompt_extraction 0.6 what|which instructions|prompt|directives|guidelines|commands|rules are_you|do_you|did_you|have_you|were_you|you_were|you_are|you_have|was_given|were_given|did_they_give|they_gave|they_give
prompt_extraction 0.35 instructions|prompt|rules|guidelines|directives|commands ~4 gave_you|you_were_given|you_received|you_have_received|you_have_been_given|you_are_following|given_to_you|you_got|you_were_told|you_follow|you_ve_been_given|set_for_you
prompt_extraction 0.35 id_rsa|etc_passwd|etc_shadow|openai_api_key|ssh_id|aws_secret_access_key
prompt_extraction 0.5 @SHOW|what ~2 you ~1 saw|see|read|received|got ~2 above|before_this|before_my|so_far
prompt_extraction 0.5 @SHOW ~2 rules|instructions|restrictions|guidelines|limitations ~4 operator|developer|developers|system|openai|creators|creator
prompt_extraction 0.35 @SHOW ~2 conversation|chat|dialogue so_far|until_now|up_to_now|verbatim|history
prompt_extraction 0.4 @SHOW|respond|reply|answer ~3 token|key|password|secret|credentials ~3 your
prompt_extraction 0.5 first|everything|all|anything|what|whatever ~3 you_were_told|you_were_given|you_have_been_told|you_ve_been_told|you_were_instructed|you_were_programmed
prompt_extraction 0.4 my_instructions_are|my_system_prompt|my_prompt_is|my_rules_are

"""
