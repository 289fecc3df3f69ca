"""Lists of English words for the rules that look for prompt injections."""

WORDS = {
    "OVERRIDE": "@FORGET cancel dismiss erase wipe drop delete skip reset suspend omit ditch",
    "FORGET": """
        ignore ignoring disregard disregarding forget forgetting override overriding overrule bypass
        discard neglect abandon overlook nullify scrap unlearn void supersede circumvent
        pay_no_attention_to pay_no_heed_to do_not_follow don_t_follow stop_following do_not_obey
        don_t_obey stop_obeying set_aside put_aside leave_aside throw_away throw_out do_not_listen_to
        don_t_listen_to clear_your_mind_of
    """,
    "PREVIOUS": """
        previous previously prior above preceding earlier foregoing former past initial original
        existing aforementioned given last old pre-existing before so_far
    """,
    "INSTRUCTIONS": """
        instruction instructions instuctions prompt prompts directive directives guideline guidelines
        programming system_message system_messages guidance instructed
    """,
    "ORDERS": """
        rule rules order orders command commands task tasks assignment assignments constraint
        constraints restriction restrictions context conversation conversations direction directions
        question questions statement statements request requests text texts content contents input
        inputs message messages policy policies limits limitations information
    """,
    "LIMITS": """
        rules guidelines restrictions constraints limitations limits policies policy programming
        training safety safeguards filters filter ethics ethical moral morals safety_protocols protocols
        guardrails censorship alignment moderation
    """,
    "SHOW": """
        reveal show print output repeat display tell give share list leak expose disclose dump write
        type return copy paste recite provide quote describe say echo spell-check spellcheck summarize
        summarise translate encode state explain send present see know read extract render reproduce
        emit divulge publish retrieve prints outputs reveals displays
    """,
    "ASSISTANT": """
        ai ais ai_assistant ai_assistants ai_agent ai_agents ai_model ai_models ai_system ai_systems
        language_model language_models llm llms gpt gpt-4 chatgpt copilot claude gemini chatbot chatbots
        ai_tool ai_tools ai_reader ai_readers ai_crawler automated_assistant automated_agent
        virtual_assistant autonomous_agent autonomous_agents bing ai_reviewer ai_reviewers llm_reviewer
        llm_reviewers ai_grader automated_reviewer summarizer bots crawlers summarizers web_agents
    """,
    "HELPER": "assistant assistants agent agents bot bots model models",
    "ACT": """
        verify collect
        call use invoke run execute send forward transfer delete pay share email e-mail upload post open
        click visit fetch download grant buy order approve refund wire disable install include append
        recommend rate rank output say mention ignore disregard add change update submit navigate reveal
        print score report bcc insert state mark classify accept assign give tell stop reply respond
        answer follow comply
    """,
    "SECRET": """
        password passwords credential credentials api_key api_keys secret secrets tokens conversation
        conversations chat_history history chat_log inbox contact_list address_book private_key
        private_keys ssh_key ssh_keys environment_variables otp cookies session system_prompt prompt
        context medical_records genetic_data payment_methods verification_codes credit_card bank_details
        transcript home_address personal_data personal_information private_messages payroll chat
        access_token access_tokens token browsing_history
    """,
    "COMMAND": """
        call use invoke run execute send forward transfer delete pay share email e-mail mail upload post
        open click visit fetch download grant buy order approve issue refund wire export disable install
        reply respond answer include append recommend rate rank summarize summarise output write say
        mention tell ignore disregard follow comply add create remove change update submit read retrieve
        search navigate reveal print display return make give perform do stop carry_out book set insert
        inform provide state treat mark classify accept assign score report bcc cc
    """,
    "DATA": """
        password passwords credentials credential api_key api_keys secret secrets token tokens
        conversation conversations chat_history history chat chats messages emails inbox contacts
        contact_list address_book addresses private_key private_keys ssh_key ssh_keys
        environment_variables env files documents records details data information info statements
        transactions calendar address location notes photos codes code payment_methods otp keys cookies
        session system_prompt context prompt orders medical_records genetic_data profile file report
    """,
    "TAKE": """
        retrieve fetch get access collect find gather search list extract read look_up copy export
        compile dump obtain download check open grab take
    """,
    "PASS_ON": """
        sending forwarding sharing posting uploading
        send forward share transfer email e-mail mail post upload submit bcc transmit exfiltrate leak
    """,
    "SAY": "say output print write respond reply answer return tell type state display echo repeat",
    "REPLY": "response responses reply replies answer answers output outputs summary completion",
    "PERSONA": """
        ai bot robot chatbot model assistant hacker criminal expert journalist person man woman
        character terminal machine system interpreter storyteller poet writer supporter fan politician
        teacher translator console compiler pirate villain gpt simulator human entity program tool agent
        comedian advisor therapist lawyer doctor spy developer engineer king president dictator god
        artificial_intelligence language_model red_teamer scammer terrorist racist evil unfiltered
        uncensored unrestricted superintelligence
    """,
}
