CREATE TABLE address_days (
	client_no BIGINT NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	address BYTEA NOT NULL,
	clicks BIGINT NOT NULL,
	CONSTRAINT address_days_pkey PRIMARY KEY (client_no, day_on, address)
);
CREATE INDEX address_days_by_age ON address_days (day_on);
CREATE TABLE agencies (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	currency TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT agencies_pkey PRIMARY KEY (no),
	CONSTRAINT agencies_id_key UNIQUE (id)
);
CREATE TABLE agent_texts (
	digest TEXT COLLATE "C" NOT NULL,
	agent TEXT COLLATE "C" NOT NULL,
	seen_at BIGINT NOT NULL,
	CONSTRAINT agent_texts_pkey PRIMARY KEY (digest)
);
CREATE INDEX agent_texts_by_age ON agent_texts (seen_at);
CREATE TABLE aims (
	group_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	aimed_micros BIGINT NOT NULL,
	CONSTRAINT aims_pkey PRIMARY KEY (group_no, publisher_no)
);
CREATE INDEX aims_by_client ON aims (client_no);
CREATE TABLE api_clients (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	role TEXT COLLATE "C" NOT NULL,
	owner_no BIGINT NOT NULL,
	scope TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	revoked_at BIGINT,
	CONSTRAINT api_clients_pkey PRIMARY KEY (no),
	CONSTRAINT api_clients_id_key UNIQUE (id)
);
CREATE TABLE api_keys (
	no BIGSERIAL NOT NULL,
	prefix TEXT COLLATE "C" NOT NULL,
	digest BYTEA NOT NULL,
	role TEXT COLLATE "C" NOT NULL,
	owner_no BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT,
	revoked_at BIGINT,
	CONSTRAINT api_keys_pkey PRIMARY KEY (no),
	CONSTRAINT api_keys_prefix_key UNIQUE (prefix)
);
CREATE TABLE applied (
	client_no BIGINT NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	click_id BYTEA NOT NULL,
	facts BYTEA NOT NULL,
	CONSTRAINT applied_pkey PRIMARY KEY (client_no, key)
);
CREATE TABLE apply_ages (
	client_no BIGINT NOT NULL,
	group_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	click_on TEXT COLLATE "C" NOT NULL,
	age BIGINT NOT NULL,
	applies BIGINT NOT NULL,
	CONSTRAINT apply_ages_pkey PRIMARY KEY (client_no, group_no, publisher_no, click_on, age)
);
CREATE INDEX apply_ages_by_age ON apply_ages (click_on);
CREATE TABLE aside_events (
	no BIGSERIAL NOT NULL,
	client_no BIGINT NOT NULL,
	body BYTEA NOT NULL,
	CONSTRAINT aside_events_pkey PRIMARY KEY (no)
);
CREATE INDEX aside_events_by_client ON aside_events (client_no, no);
CREATE TABLE asides (
	client_no BIGINT NOT NULL,
	judged_at BIGINT NOT NULL,
	again_at BIGINT NOT NULL,
	reason TEXT COLLATE "C" NOT NULL,
	CONSTRAINT asides_pkey PRIMARY KEY (client_no)
);
CREATE TABLE bid_log (
	no BIGSERIAL NOT NULL,
	client_no BIGINT NOT NULL,
	group_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	at BIGINT NOT NULL,
	inputs TEXT COLLATE "C" NOT NULL,
	bid TEXT COLLATE "C" NOT NULL,
	version BIGINT,
	CONSTRAINT bid_log_pkey PRIMARY KEY (no)
);
CREATE INDEX bid_log_by_age ON bid_log (at);
CREATE INDEX bid_log_by_group ON bid_log (group_no, publisher_no, at);
CREATE TABLE cap_notes (
	client_no BIGINT NOT NULL,
	scope TEXT COLLATE "C" NOT NULL,
	entity TEXT COLLATE "C" NOT NULL,
	measure TEXT COLLATE "C" NOT NULL,
	felt TEXT COLLATE "C" NOT NULL,
	in_flight BIGINT NOT NULL,
	period TEXT COLLATE "C" NOT NULL,
	past BIGINT NOT NULL,
	since_at BIGINT,
	CONSTRAINT cap_notes_pkey PRIMARY KEY (client_no, scope, entity, measure)
);
CREATE TABLE ceilings (
	client_no BIGINT NOT NULL,
	scope TEXT COLLATE "C" NOT NULL,
	entity TEXT COLLATE "C" NOT NULL,
	measure TEXT COLLATE "C" NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	most BIGINT NOT NULL,
	since_at BIGINT NOT NULL,
	CONSTRAINT ceilings_pkey PRIMARY KEY (client_no, scope, entity, measure, day_on)
);
CREATE INDEX ceilings_by_age ON ceilings (day_on);
CREATE TABLE changes (
	no BIGSERIAL NOT NULL,
	at BIGINT NOT NULL,
	agency_no BIGINT,
	client_no BIGINT,
	kind TEXT COLLATE "C" NOT NULL,
	entity_id TEXT COLLATE "C" NOT NULL,
	act TEXT COLLATE "C" NOT NULL,
	actor TEXT COLLATE "C" NOT NULL,
	actor_id TEXT COLLATE "C" NOT NULL,
	request_id TEXT COLLATE "C",
	cause TEXT COLLATE "C" NOT NULL,
	undoes BIGINT,
	fields TEXT COLLATE "C" NOT NULL,
	CONSTRAINT changes_pkey PRIMARY KEY (no)
);
CREATE INDEX changes_by_actor ON changes (actor_id, at, no);
CREATE INDEX changes_by_age ON changes (at, no);
CREATE INDEX changes_by_agency ON changes (agency_no, at, no);
CREATE INDEX changes_by_client ON changes (client_no, at, no);
CREATE INDEX changes_by_entity ON changes (entity_id, at, no);
CREATE INDEX changes_by_kind_of_actor ON changes (agency_no, actor, at, no);
CREATE INDEX changes_by_undone ON changes (undoes) WHERE undoes IS NOT NULL;
CREATE TABLE clicks (
	id BYTEA NOT NULL,
	client_no BIGINT NOT NULL,
	disposition TEXT COLLATE "C" NOT NULL,
	bid_micros BIGINT,
	price_micros BIGINT,
	at BIGINT NOT NULL,
	CONSTRAINT clicks_pkey PRIMARY KEY (id)
);
CREATE INDEX clicks_by_age ON clicks (at);
CREATE TABLE client_days (
	client_no BIGINT NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	clicks BIGINT NOT NULL,
	bot_clicks BIGINT NOT NULL,
	duplicate_clicks BIGINT NOT NULL,
	foreign_clicks BIGINT NOT NULL,
	latent_clicks BIGINT NOT NULL,
	over_cap_clicks BIGINT NOT NULL,
	views BIGINT NOT NULL,
	apply_starts BIGINT NOT NULL,
	applies BIGINT NOT NULL,
	hires BIGINT NOT NULL,
	spent_units BIGINT NOT NULL,
	spent_micros BIGINT NOT NULL,
	net_spent_units BIGINT NOT NULL,
	net_spent_micros BIGINT NOT NULL,
	marked_up_spent_units BIGINT NOT NULL,
	marked_up_spent_micros BIGINT NOT NULL,
	all_views BIGINT NOT NULL,
	all_apply_starts BIGINT NOT NULL,
	all_applies BIGINT NOT NULL,
	all_hires BIGINT NOT NULL,
	CONSTRAINT client_days_pkey PRIMARY KEY (client_no, day_on)
);
CREATE INDEX client_days_by_age ON client_days (day_on);
CREATE TABLE control_days (
	group_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	clicks BIGINT NOT NULL,
	applies BIGINT NOT NULL,
	unbilled BIGINT NOT NULL,
	unbilled_micros BIGINT NOT NULL,
	spend_micros BIGINT NOT NULL,
	missed_by_bid BIGINT NOT NULL,
	missed_by_listing BIGINT NOT NULL,
	CONSTRAINT control_days_pkey PRIMARY KEY (group_no, publisher_no, day_on)
);
CREATE INDEX control_days_by_age ON control_days (day_on);
CREATE INDEX control_days_by_client ON control_days (client_no, day_on);
CREATE TABLE conversion_keys (
	client_no BIGINT NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	click_id BYTEA NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT conversion_keys_pkey PRIMARY KEY (client_no, key)
);
CREATE INDEX conversion_keys_by_age ON conversion_keys (at);
CREATE TABLE copies (
	file_no BIGINT NOT NULL,
	version BIGINT NOT NULL,
	fetched_at BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	reader TEXT COLLATE "C" NOT NULL,
	CONSTRAINT copies_pkey PRIMARY KEY (file_no)
);
CREATE INDEX copies_by_due ON copies (due_at);
CREATE TABLE corrections (
	group_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	target_micros BIGINT NOT NULL,
	value_ppm BIGINT NOT NULL,
	since_on TEXT COLLATE "C" NOT NULL,
	corrected_on TEXT COLLATE "C" NOT NULL,
	CONSTRAINT corrections_pkey PRIMARY KEY (group_no)
);
CREATE INDEX corrections_by_client ON corrections (client_no);
CREATE TABLE counters (
	scope TEXT COLLATE "C" NOT NULL,
	entity TEXT COLLATE "C" NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	budget_units BIGINT NOT NULL,
	budget_micros BIGINT NOT NULL,
	clicks BIGINT NOT NULL,
	applies BIGINT NOT NULL,
	CONSTRAINT counters_pkey PRIMARY KEY (scope, entity, day_on)
);
CREATE INDEX counters_by_client ON counters (client_no);
CREATE TABLE definition_versions (
	version TEXT COLLATE "C" NOT NULL,
	body BYTEA NOT NULL,
	first_at BIGINT NOT NULL,
	CONSTRAINT definition_versions_pkey PRIMARY KEY (version)
);
CREATE TABLE delisted (
	client_no BIGINT NOT NULL,
	job_no BIGINT NOT NULL,
	CONSTRAINT delisted_pkey PRIMARY KEY (client_no, job_no)
);
CREATE TABLE demand (
	group_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	clicks BIGINT NOT NULL,
	traffic BIGINT NOT NULL,
	today_clicks BIGINT NOT NULL,
	today_traffic BIGINT NOT NULL,
	applies BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	CONSTRAINT demand_pkey PRIMARY KEY (group_no, publisher_no)
);
CREATE INDEX demand_by_client ON demand (client_no);
CREATE TABLE departures (
	publisher_no BIGINT NOT NULL,
	job_id BYTEA NOT NULL,
	group_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	bid_type TEXT COLLATE "C" NOT NULL,
	bid_micros BIGINT NOT NULL,
	price_micros BIGINT NOT NULL,
	left_at BIGINT NOT NULL,
	CONSTRAINT departures_pkey PRIMARY KEY (publisher_no, job_id, group_no, client_no, bid_type, bid_micros, price_micros, left_at)
);
CREATE INDEX departures_by_age ON departures (left_at);
CREATE TABLE evaluations (
	client_no BIGINT NOT NULL,
	evaluated_at BIGINT NOT NULL,
	number BIGINT NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	CONSTRAINT evaluations_pkey PRIMARY KEY (client_no)
);
CREATE TABLE fetches (
	file_no BIGINT NOT NULL,
	at BIGINT NOT NULL,
	version BIGINT NOT NULL,
	status BIGINT NOT NULL,
	reader TEXT COLLATE "C" NOT NULL,
	CONSTRAINT fetches_pkey PRIMARY KEY (file_no, at, version)
);
CREATE TABLE finished_sign_ins (
	no BIGSERIAL NOT NULL,
	digest BYTEA NOT NULL,
	expires_at BIGINT NOT NULL,
	CONSTRAINT finished_sign_ins_pkey PRIMARY KEY (no),
	CONSTRAINT finished_sign_ins_digest_key UNIQUE (digest)
);
CREATE INDEX finished_sign_ins_by_end ON finished_sign_ins (expires_at);
CREATE TABLE holds (
	name TEXT COLLATE "C" NOT NULL,
	until_at BIGINT NOT NULL,
	CONSTRAINT holds_pkey PRIMARY KEY (name)
);
CREATE TABLE hosts (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	run TEXT COLLATE "C" NOT NULL,
	started_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	ended_at BIGINT,
	successor TEXT COLLATE "C",
	CONSTRAINT hosts_pkey PRIMARY KEY (no),
	CONSTRAINT hosts_id_key UNIQUE (id)
);
CREATE TABLE idempotency (
	no BIGSERIAL NOT NULL,
	scope TEXT COLLATE "C" NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	request_digest BYTEA NOT NULL,
	status BIGINT NOT NULL,
	answer BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT idempotency_pkey PRIMARY KEY (no),
	CONSTRAINT idempotency_scope_key_key UNIQUE (scope, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
CREATE TABLE installation (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	turn BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	restored_at BIGINT,
	CONSTRAINT installation_pkey PRIMARY KEY (no),
	CONSTRAINT installation_id_key UNIQUE (id)
);
CREATE TABLE job_counts (
	client_no BIGINT NOT NULL,
	owner TEXT COLLATE "C" NOT NULL,
	scope TEXT COLLATE "C" NOT NULL,
	measure TEXT COLLATE "C" NOT NULL,
	CONSTRAINT job_counts_pkey PRIMARY KEY (client_no, owner, scope, measure)
);
CREATE TABLE journal_marks (
	source TEXT COLLATE "C" NOT NULL,
	segment BIGINT NOT NULL,
	"offset" BIGINT NOT NULL,
	judged_at BIGINT NOT NULL,
	written_off_at BIGINT,
	CONSTRAINT journal_marks_pkey PRIMARY KEY (source)
);
CREATE TABLE link_addresses (
	no BIGSERIAL NOT NULL,
	address TEXT COLLATE "C" NOT NULL,
	since_at BIGINT NOT NULL,
	CONSTRAINT link_addresses_pkey PRIMARY KEY (no)
);
CREATE TABLE master_keys (
	no BIGSERIAL NOT NULL,
	name BYTEA NOT NULL,
	since_at BIGINT NOT NULL,
	CONSTRAINT master_keys_pkey PRIMARY KEY (no)
);
CREATE TABLE matchings (
	client_no BIGINT NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	CONSTRAINT matchings_pkey PRIMARY KEY (client_no)
);
CREATE TABLE paced (
	group_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	base_micros BIGINT NOT NULL,
	bid_micros BIGINT NOT NULL,
	price_micros BIGINT NOT NULL,
	factor_ppm BIGINT NOT NULL,
	floor_micros BIGINT NOT NULL,
	matching BIGINT NOT NULL,
	first BIGINT NOT NULL,
	jobs BIGINT NOT NULL,
	start_ppm BIGINT NOT NULL,
	next_ppm BIGINT NOT NULL,
	let_ppm BIGINT NOT NULL,
	clicks_ppm BIGINT NOT NULL,
	held_let_ppm BIGINT NOT NULL,
	held_clicks_ppm BIGINT NOT NULL,
	decided_at BIGINT NOT NULL,
	cap TEXT COLLATE "C" NOT NULL,
	CONSTRAINT paced_pkey PRIMARY KEY (group_no, publisher_no)
);
CREATE INDEX paced_by_client ON paced (client_no);
CREATE INDEX paced_by_publisher ON paced (publisher_no, decided_at);
CREATE TABLE parked (
	no BIGSERIAL NOT NULL,
	client_no BIGINT NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	click_id BYTEA NOT NULL,
	body BYTEA NOT NULL,
	received_at BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	CONSTRAINT parked_pkey PRIMARY KEY (no)
);
CREATE INDEX parked_by_click ON parked (click_id);
CREATE INDEX parked_by_due ON parked (due_at);
CREATE TABLE place_days (
	client_no BIGINT NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	campaign_no BIGINT NOT NULL,
	group_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	clicks BIGINT NOT NULL,
	bot_clicks BIGINT NOT NULL,
	duplicate_clicks BIGINT NOT NULL,
	foreign_clicks BIGINT NOT NULL,
	latent_clicks BIGINT NOT NULL,
	over_cap_clicks BIGINT NOT NULL,
	views BIGINT NOT NULL,
	apply_starts BIGINT NOT NULL,
	applies BIGINT NOT NULL,
	hires BIGINT NOT NULL,
	spent_units BIGINT NOT NULL,
	spent_micros BIGINT NOT NULL,
	net_spent_units BIGINT NOT NULL,
	net_spent_micros BIGINT NOT NULL,
	marked_up_spent_units BIGINT NOT NULL,
	marked_up_spent_micros BIGINT NOT NULL,
	all_views BIGINT NOT NULL,
	all_apply_starts BIGINT NOT NULL,
	all_applies BIGINT NOT NULL,
	all_hires BIGINT NOT NULL,
	CONSTRAINT place_days_pkey PRIMARY KEY (client_no, day_on, campaign_no, group_no, publisher_no)
);
CREATE INDEX place_days_by_age ON place_days (day_on);
CREATE INDEX place_days_by_publisher ON place_days (publisher_no, day_on);
CREATE TABLE rates (
	no BIGSERIAL NOT NULL,
	agency_no BIGINT NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	source TEXT COLLATE "C" NOT NULL,
	target TEXT COLLATE "C" NOT NULL,
	picos BIGINT NOT NULL,
	set_at BIGINT NOT NULL,
	CONSTRAINT rates_pkey PRIMARY KEY (no),
	CONSTRAINT rates_agency_no_day_on_source_target_key UNIQUE (agency_no, day_on, source, target)
);
CREATE TABLE rejudge_turns (
	client_no BIGINT NOT NULL,
	turn BIGINT NOT NULL,
	CONSTRAINT rejudge_turns_pkey PRIMARY KEY (client_no)
);
CREATE TABLE rejudgings (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	month TEXT COLLATE "C" NOT NULL,
	only_looks BIGINT NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	outcome TEXT COLLATE "C" NOT NULL,
	message TEXT COLLATE "C",
	created_at BIGINT NOT NULL,
	ended_at BIGINT,
	CONSTRAINT rejudgings_pkey PRIMARY KEY (no),
	CONSTRAINT rejudgings_id_key UNIQUE (id)
);
CREATE INDEX rejudgings_by_client ON rejudgings (client_no, no);
CREATE TABLE report_streams (
	key_no BIGINT NOT NULL,
	holder TEXT COLLATE "C" NOT NULL,
	until_at BIGINT NOT NULL,
	CONSTRAINT report_streams_pkey PRIMARY KEY (key_no)
);
CREATE TABLE retired_counters (
	scope TEXT COLLATE "C" NOT NULL,
	entity TEXT COLLATE "C" NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	budget_units BIGINT NOT NULL,
	budget_micros BIGINT NOT NULL,
	clicks BIGINT NOT NULL,
	applies BIGINT NOT NULL,
	CONSTRAINT retired_counters_pkey PRIMARY KEY (scope, entity, day_on)
);
CREATE INDEX retired_counters_by_client ON retired_counters (client_no);
CREATE TABLE retired_days (
	client_no BIGINT NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	clicks BIGINT NOT NULL,
	bot_clicks BIGINT NOT NULL,
	duplicate_clicks BIGINT NOT NULL,
	foreign_clicks BIGINT NOT NULL,
	latent_clicks BIGINT NOT NULL,
	over_cap_clicks BIGINT NOT NULL,
	views BIGINT NOT NULL,
	apply_starts BIGINT NOT NULL,
	applies BIGINT NOT NULL,
	hires BIGINT NOT NULL,
	spent_units BIGINT NOT NULL,
	spent_micros BIGINT NOT NULL,
	net_spent_units BIGINT NOT NULL,
	net_spent_micros BIGINT NOT NULL,
	marked_up_spent_units BIGINT NOT NULL,
	marked_up_spent_micros BIGINT NOT NULL,
	all_views BIGINT NOT NULL,
	all_apply_starts BIGINT NOT NULL,
	all_applies BIGINT NOT NULL,
	all_hires BIGINT NOT NULL,
	CONSTRAINT retired_days_pkey PRIMARY KEY (client_no, day_on)
);
CREATE INDEX retired_days_by_age ON retired_days (day_on);
CREATE TABLE retired_tallies (
	client_no BIGINT NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	disposition TEXT COLLATE "C" NOT NULL,
	value BIGINT NOT NULL,
	CONSTRAINT retired_tallies_pkey PRIMARY KEY (client_no, kind, disposition)
);
CREATE TABLE rule_acts (
	no BIGSERIAL NOT NULL,
	client_no BIGINT NOT NULL,
	rule_no BIGINT NOT NULL,
	mode TEXT COLLATE "C" NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	entity TEXT COLLATE "C" NOT NULL,
	what TEXT COLLATE "C" NOT NULL,
	pull BIGINT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT rule_acts_pkey PRIMARY KEY (no)
);
CREATE INDEX rule_acts_by_age ON rule_acts (at);
CREATE INDEX rule_acts_by_client ON rule_acts (client_no, at);
CREATE TABLE rule_states (
	rule_no BIGINT NOT NULL,
	number BIGINT NOT NULL,
	ran_at BIGINT NOT NULL,
	ran_on TEXT COLLATE "C" NOT NULL,
	mode TEXT COLLATE "C" NOT NULL,
	truths TEXT COLLATE "C" NOT NULL,
	told TEXT COLLATE "C" NOT NULL,
	failures BIGINT NOT NULL,
	why TEXT COLLATE "C" NOT NULL,
	CONSTRAINT rule_states_pkey PRIMARY KEY (rule_no)
);
CREATE TABLE schedule (
	no BIGSERIAL NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	due_at BIGINT NOT NULL,
	ran_at BIGINT,
	failures BIGINT NOT NULL,
	failure TEXT COLLATE "C",
	CONSTRAINT schedule_pkey PRIMARY KEY (no),
	CONSTRAINT schedule_name_key UNIQUE (name)
);
CREATE TABLE secrets (
	no BIGSERIAL NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	kid BIGINT NOT NULL,
	value BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT secrets_pkey PRIMARY KEY (no),
	CONSTRAINT secrets_name_kid_key UNIQUE (name, kid)
);
CREATE TABLE segment_clients (
	segment_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	rows BIGINT NOT NULL,
	first_at BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	CONSTRAINT segment_clients_pkey PRIMARY KEY (segment_no, client_no)
);
CREATE INDEX segment_clients_by_client ON segment_clients (client_no, last_at);
CREATE TABLE segments (
	no BIGSERIAL NOT NULL,
	path TEXT COLLATE "C" NOT NULL,
	month TEXT COLLATE "C" NOT NULL,
	rows BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	digest BYTEA NOT NULL,
	totals TEXT COLLATE "C" NOT NULL,
	first_at BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	replaced_at BIGINT,
	CONSTRAINT segments_pkey PRIMARY KEY (no),
	CONSTRAINT segments_path_key UNIQUE (path)
);
CREATE INDEX segments_by_age ON segments (last_at);
CREATE TABLE shape_days (
	publisher_no BIGINT NOT NULL,
	day_on TEXT COLLATE "C" NOT NULL,
	quarter BIGINT NOT NULL,
	clicks_ppm BIGINT NOT NULL,
	CONSTRAINT shape_days_pkey PRIMARY KEY (publisher_no, day_on, quarter)
);
CREATE INDEX shape_days_by_age ON shape_days (day_on);
CREATE TABLE shapes (
	publisher_no BIGINT NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	CONSTRAINT shapes_pkey PRIMARY KEY (publisher_no)
);
CREATE TABLE standings (
	client_no BIGINT NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	entity TEXT COLLATE "C" NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	delivery TEXT COLLATE "C" NOT NULL,
	capped SMALLINT NOT NULL,
	resolved TEXT COLLATE "C" NOT NULL,
	since_at BIGINT NOT NULL,
	until_at BIGINT,
	CONSTRAINT standings_pkey PRIMARY KEY (client_no, kind, entity)
);
CREATE TABLE takeovers (
	feed_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	token TEXT COLLATE "C" NOT NULL,
	whole SMALLINT NOT NULL,
	renewed_at BIGINT NOT NULL,
	switched_at BIGINT,
	CONSTRAINT takeovers_pkey PRIMARY KEY (feed_no)
);
CREATE INDEX takeovers_by_client ON takeovers (client_no);
CREATE TABLE tallies (
	client_no BIGINT NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	disposition TEXT COLLATE "C" NOT NULL,
	value BIGINT NOT NULL,
	CONSTRAINT tallies_pkey PRIMARY KEY (client_no, kind, disposition)
);
CREATE TABLE task_turns (
	agency_no BIGINT NOT NULL,
	turn BIGINT NOT NULL,
	CONSTRAINT task_turns_pkey PRIMARY KEY (agency_no)
);
CREATE TABLE tasks (
	no BIGSERIAL NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	payload TEXT COLLATE "C" NOT NULL,
	due_at BIGINT NOT NULL,
	attempts BIGINT NOT NULL,
	lease TEXT COLLATE "C",
	leased_until BIGINT,
	failure TEXT COLLATE "C",
	again SMALLINT NOT NULL,
	created_at BIGINT NOT NULL,
	dead_at BIGINT,
	agency_no BIGINT NOT NULL,
	CONSTRAINT tasks_pkey PRIMARY KEY (no),
	CONSTRAINT tasks_kind_key_key UNIQUE (kind, key)
);
CREATE INDEX tasks_by_due ON tasks (due_at);
CREATE INDEX tasks_by_lease ON tasks (leased_until) WHERE leased_until IS NOT NULL;
CREATE TABLE traffic (
	client_no BIGINT NOT NULL,
	group_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	quarter_at BIGINT NOT NULL,
	clicks BIGINT NOT NULL,
	applies BIGINT NOT NULL,
	unbilled BIGINT NOT NULL,
	unbilled_micros BIGINT NOT NULL,
	spend_micros BIGINT NOT NULL,
	CONSTRAINT traffic_pkey PRIMARY KEY (client_no, group_no, publisher_no, quarter_at)
);
CREATE TABLE unindexed (
	job_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	CONSTRAINT unindexed_pkey PRIMARY KEY (job_no)
);
CREATE INDEX unindexed_by_client ON unindexed (client_no);
CREATE TABLE unmatched (
	job_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	CONSTRAINT unmatched_pkey PRIMARY KEY (job_no)
);
CREATE INDEX unmatched_by_client ON unmatched (client_no);
CREATE TABLE visits (
	client_no BIGINT NOT NULL,
	visitor BYTEA NOT NULL,
	at BIGINT NOT NULL,
	until_at BIGINT NOT NULL,
	CONSTRAINT visits_pkey PRIMARY KEY (visitor)
);
CREATE INDEX visits_by_age ON visits (until_at);
CREATE TABLE callbacks (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	agency_no BIGINT NOT NULL,
	subject TEXT COLLATE "C" NOT NULL,
	url TEXT COLLATE "C" NOT NULL,
	body TEXT COLLATE "C",
	state TEXT COLLATE "C" NOT NULL,
	attempts BIGINT NOT NULL,
	status BIGINT,
	failure TEXT COLLATE "C",
	created_at BIGINT NOT NULL,
	ended_at BIGINT,
	CONSTRAINT callbacks_pkey PRIMARY KEY (no),
	CONSTRAINT callbacks_id_key UNIQUE (id),
	CONSTRAINT callbacks_subject_key UNIQUE (subject),
	CONSTRAINT callbacks_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no)
);
CREATE INDEX callbacks_by_age ON callbacks (created_at);
CREATE INDEX callbacks_by_agency ON callbacks (agency_no, no);
CREATE TABLE clients (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	agency_no BIGINT NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	zone TEXT COLLATE "C" NOT NULL,
	pixel_id TEXT COLLATE "C" NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT clients_pkey PRIMARY KEY (no),
	CONSTRAINT clients_id_key UNIQUE (id),
	CONSTRAINT clients_pixel_id_key UNIQUE (pixel_id),
	CONSTRAINT clients_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no)
);
CREATE INDEX clients_by_agency ON clients (agency_no, no);
CREATE TABLE markups (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	agency_no BIGINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	from_at BIGINT NOT NULL,
	ppm BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT markups_pkey PRIMARY KEY (no),
	CONSTRAINT markups_id_key UNIQUE (id),
	CONSTRAINT markups_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no)
);
CREATE INDEX markups_by_agency ON markups (agency_no, no);
CREATE TABLE provider_secrets (
	no BIGSERIAL NOT NULL,
	agency_no BIGINT NOT NULL,
	value BYTEA NOT NULL,
	CONSTRAINT provider_secrets_pkey PRIMARY KEY (no),
	CONSTRAINT provider_secrets_agency_no_key UNIQUE (agency_no),
	CONSTRAINT provider_secrets_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no)
);
CREATE TABLE publisher_families (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	agency_no BIGINT,
	name TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT publisher_families_pkey PRIMARY KEY (no),
	CONSTRAINT publisher_families_id_key UNIQUE (id),
	CONSTRAINT publisher_families_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no)
);
CREATE INDEX publisher_families_by_agency ON publisher_families (agency_no, no);
CREATE TABLE publishers (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	agency_no BIGINT NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT publishers_pkey PRIMARY KEY (no),
	CONSTRAINT publishers_agency_no_id_key UNIQUE (agency_no, id),
	CONSTRAINT publishers_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no)
);
CREATE TABLE sign_in_providers (
	no BIGSERIAL NOT NULL,
	agency_no BIGINT NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	CONSTRAINT sign_in_providers_pkey PRIMARY KEY (no),
	CONSTRAINT sign_in_providers_agency_no_key UNIQUE (agency_no),
	CONSTRAINT sign_in_providers_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no)
);
CREATE TABLE campaigns (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	is_default SMALLINT NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT campaigns_pkey PRIMARY KEY (no),
	CONSTRAINT campaigns_id_key UNIQUE (id),
	CONSTRAINT campaigns_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no)
);
CREATE INDEX campaigns_by_client ON campaigns (client_no, no);
CREATE TABLE click_definitions (
	no BIGSERIAL NOT NULL,
	publisher_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	bot_ips TEXT COLLATE "C",
	ips_read_at BIGINT,
	ips_failure TEXT COLLATE "C",
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	CONSTRAINT click_definitions_pkey PRIMARY KEY (no),
	CONSTRAINT click_definitions_publisher_no_client_no_key UNIQUE (publisher_no, client_no),
	CONSTRAINT click_definitions_publisher_no_fkey FOREIGN KEY(publisher_no) REFERENCES publishers (no)
);
CREATE TABLE custom_fields (
	no BIGSERIAL NOT NULL,
	client_no BIGINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	place BIGINT NOT NULL,
	CONSTRAINT custom_fields_pkey PRIMARY KEY (no),
	CONSTRAINT custom_fields_client_no_name_key UNIQUE (client_no, name),
	CONSTRAINT custom_fields_client_no_place_key UNIQUE (client_no, place),
	CONSTRAINT custom_fields_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no)
);
CREATE TABLE family_publishers (
	no BIGSERIAL NOT NULL,
	family_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	CONSTRAINT family_publishers_pkey PRIMARY KEY (no),
	CONSTRAINT family_publishers_family_no_publisher_no_key UNIQUE (family_no, publisher_no),
	CONSTRAINT family_publishers_family_no_fkey FOREIGN KEY(family_no) REFERENCES publisher_families (no),
	CONSTRAINT family_publishers_publisher_no_fkey FOREIGN KEY(publisher_no) REFERENCES publishers (no)
);
CREATE TABLE feed_files (
	no BIGSERIAL NOT NULL,
	publisher_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	since_at BIGINT NOT NULL,
	job_count BIGINT NOT NULL,
	digest BYTEA,
	written_at BIGINT,
	CONSTRAINT feed_files_pkey PRIMARY KEY (no),
	CONSTRAINT feed_files_publisher_no_client_no_key UNIQUE (publisher_no, client_no),
	CONSTRAINT feed_files_name_key UNIQUE (name),
	CONSTRAINT feed_files_publisher_no_fkey FOREIGN KEY(publisher_no) REFERENCES publishers (no)
);
CREATE TABLE feed_parts (
	no BIGSERIAL NOT NULL,
	publisher_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	digest BYTEA NOT NULL,
	job_count BIGINT NOT NULL,
	plain_bytes BIGINT NOT NULL,
	crc BIGINT NOT NULL,
	roster BYTEA NOT NULL,
	noting_at BIGINT,
	clear_at BIGINT,
	written_at BIGINT NOT NULL,
	CONSTRAINT feed_parts_pkey PRIMARY KEY (no),
	CONSTRAINT feed_parts_publisher_no_client_no_key UNIQUE (publisher_no, client_no),
	CONSTRAINT feed_parts_publisher_no_fkey FOREIGN KEY(publisher_no) REFERENCES publishers (no)
);
CREATE INDEX feed_parts_by_client ON feed_parts (client_no);
CREATE TABLE feeds (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	next_run_at BIGINT,
	former_digest BYTEA,
	CONSTRAINT feeds_pkey PRIMARY KEY (no),
	CONSTRAINT feeds_id_key UNIQUE (id),
	CONSTRAINT feeds_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no)
);
CREATE INDEX feeds_by_client ON feeds (client_no, no);
CREATE INDEX feeds_by_due ON feeds (next_run_at);
CREATE TABLE funnel_batches (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	item_count BIGINT NOT NULL,
	received_at BIGINT NOT NULL,
	CONSTRAINT funnel_batches_pkey PRIMARY KEY (no),
	CONSTRAINT funnel_batches_id_key UNIQUE (id),
	CONSTRAINT funnel_batches_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no)
);
CREATE TABLE markup_entities (
	no BIGSERIAL NOT NULL,
	markup_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	campaign_no BIGINT NOT NULL,
	group_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	CONSTRAINT markup_entities_pkey PRIMARY KEY (no),
	CONSTRAINT markup_entities_markup_no_fkey FOREIGN KEY(markup_no) REFERENCES markups (no),
	CONSTRAINT markup_entities_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no)
);
CREATE INDEX markup_entities_by_client ON markup_entities (client_no, markup_no);
CREATE INDEX markup_entities_by_markup ON markup_entities (markup_no);
CREATE TABLE persons (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	role TEXT COLLATE "C" NOT NULL,
	agency_no BIGINT,
	family_no BIGINT,
	mail TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	password TEXT COLLATE "C",
	code_step BIGINT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT persons_pkey PRIMARY KEY (no),
	CONSTRAINT persons_id_key UNIQUE (id),
	CONSTRAINT persons_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no),
	CONSTRAINT persons_family_no_fkey FOREIGN KEY(family_no) REFERENCES publisher_families (no)
);
CREATE INDEX persons_by_agency ON persons (agency_no, no);
CREATE INDEX persons_by_mail ON persons (mail, no);
CREATE TABLE posting_configs (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	agency_no BIGINT NOT NULL,
	publisher_no BIGINT NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	start_at BIGINT NOT NULL,
	end_at BIGINT NOT NULL,
	credits_used BIGINT NOT NULL,
	posted BIGINT NOT NULL,
	ever BIGINT NOT NULL,
	turned_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	due_at BIGINT,
	spent_on TEXT COLLATE "C",
	spent_micros BIGINT NOT NULL,
	spend_at BIGINT,
	CONSTRAINT posting_configs_pkey PRIMARY KEY (no),
	CONSTRAINT posting_configs_id_key UNIQUE (id),
	CONSTRAINT posting_configs_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no),
	CONSTRAINT posting_configs_publisher_no_fkey FOREIGN KEY(publisher_no) REFERENCES publishers (no)
);
CREATE INDEX posting_configs_by_due ON posting_configs (due_at);
CREATE INDEX posting_configs_by_spend ON posting_configs (spend_at);
CREATE TABLE publisher_secrets (
	no BIGSERIAL NOT NULL,
	publisher_no BIGINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	value BYTEA NOT NULL,
	CONSTRAINT publisher_secrets_pkey PRIMARY KEY (no),
	CONSTRAINT publisher_secrets_publisher_no_name_key UNIQUE (publisher_no, name),
	CONSTRAINT publisher_secrets_publisher_no_fkey FOREIGN KEY(publisher_no) REFERENCES publishers (no)
);
CREATE TABLE reports (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	agency_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	family_no BIGINT,
	kind TEXT COLLATE "C" NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	percent BIGINT NOT NULL,
	question TEXT COLLATE "C" NOT NULL,
	question_digest BYTEA NOT NULL,
	parts TEXT COLLATE "C" NOT NULL,
	message TEXT COLLATE "C",
	created_at BIGINT NOT NULL,
	ended_at BIGINT,
	expires_at BIGINT NOT NULL,
	CONSTRAINT reports_pkey PRIMARY KEY (no),
	CONSTRAINT reports_id_key UNIQUE (id),
	CONSTRAINT reports_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no),
	CONSTRAINT reports_family_no_fkey FOREIGN KEY(family_no) REFERENCES publisher_families (no)
);
CREATE INDEX reports_by_client ON reports (client_no, no);
CREATE INDEX reports_by_end ON reports (ended_at, agency_no);
CREATE TABLE rules (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	place BIGINT NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT rules_pkey PRIMARY KEY (no),
	CONSTRAINT rules_id_key UNIQUE (id),
	CONSTRAINT rules_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no)
);
CREATE INDEX rules_by_client ON rules (client_no, place);
CREATE TABLE stage_maps (
	client_no BIGINT NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	updated_at BIGINT NOT NULL,
	CONSTRAINT stage_maps_pkey PRIMARY KEY (client_no),
	CONSTRAINT stage_maps_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no)
);
CREATE TABLE deliveries (
	no BIGSERIAL NOT NULL,
	file_no BIGINT NOT NULL,
	path TEXT COLLATE "C" NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	size BIGINT,
	digest BYTEA,
	failure TEXT COLLATE "C",
	tried_at BIGINT NOT NULL,
	delivered_at BIGINT,
	CONSTRAINT deliveries_pkey PRIMARY KEY (no),
	CONSTRAINT deliveries_file_no_key UNIQUE (file_no),
	CONSTRAINT deliveries_file_no_fkey FOREIGN KEY(file_no) REFERENCES feed_files (no)
);
CREATE TABLE feed_runs (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	feed_no BIGINT NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	percent BIGINT NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	ended_at BIGINT,
	CONSTRAINT feed_runs_pkey PRIMARY KEY (no),
	CONSTRAINT feed_runs_id_key UNIQUE (id),
	CONSTRAINT feed_runs_feed_no_fkey FOREIGN KEY(feed_no) REFERENCES feeds (no)
);
CREATE INDEX feed_runs_by_feed ON feed_runs (feed_no, no);
CREATE TABLE feed_secrets (
	no BIGSERIAL NOT NULL,
	feed_no BIGINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	value BYTEA NOT NULL,
	CONSTRAINT feed_secrets_pkey PRIMARY KEY (no),
	CONSTRAINT feed_secrets_feed_no_name_key UNIQUE (feed_no, name),
	CONSTRAINT feed_secrets_feed_no_fkey FOREIGN KEY(feed_no) REFERENCES feeds (no)
);
CREATE TABLE funnel_items (
	no BIGSERIAL NOT NULL,
	batch_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	place BIGINT NOT NULL,
	application TEXT COLLATE "C" NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	stage TEXT COLLATE "C" NOT NULL,
	event_at BIGINT NOT NULL,
	disposition TEXT COLLATE "C" NOT NULL,
	reason TEXT COLLATE "C" NOT NULL,
	click_id BYTEA NOT NULL,
	moment BYTEA NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	received_at BIGINT NOT NULL,
	CONSTRAINT funnel_items_pkey PRIMARY KEY (no),
	CONSTRAINT funnel_items_batch_no_place_key UNIQUE (batch_no, place),
	CONSTRAINT funnel_items_batch_no_fkey FOREIGN KEY(batch_no) REFERENCES funnel_batches (no)
);
CREATE INDEX funnel_items_by_disposition ON funnel_items (disposition, client_no, no);
CREATE INDEX funnel_items_by_moment ON funnel_items (client_no, moment);
CREATE TABLE groups (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	campaign_no BIGINT NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	is_default SMALLINT NOT NULL,
	priority BIGINT NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT groups_pkey PRIMARY KEY (no),
	CONSTRAINT groups_id_key UNIQUE (id),
	CONSTRAINT groups_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no),
	CONSTRAINT groups_campaign_no_fkey FOREIGN KEY(campaign_no) REFERENCES campaigns (no)
);
CREATE INDEX groups_by_campaign ON groups (campaign_no, no);
CREATE INDEX groups_by_client ON groups (client_no, no);
CREATE TABLE jobs (
	no BIGSERIAL NOT NULL,
	client_no BIGINT NOT NULL,
	ref TEXT COLLATE "C" NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	feed_no BIGINT,
	raw_digest BYTEA,
	digest BYTEA NOT NULL,
	valid SMALLINT NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	title TEXT COLLATE "C" NOT NULL,
	company TEXT COLLATE "C" NOT NULL,
	category TEXT COLLATE "C" NOT NULL,
	city TEXT COLLATE "C" NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	country TEXT COLLATE "C" NOT NULL,
	zip TEXT COLLATE "C" NOT NULL,
	type TEXT COLLATE "C" NOT NULL,
	posted_on TEXT COLLATE "C",
	cpc_micros BIGINT,
	cpc_currency TEXT COLLATE "C" NOT NULL,
	custom TEXT COLLATE "C",
	settings TEXT COLLATE "C",
	url TEXT COLLATE "C" NOT NULL,
	end_at BIGINT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	left_at BIGINT,
	deleted_at BIGINT,
	CONSTRAINT jobs_pkey PRIMARY KEY (no),
	CONSTRAINT jobs_client_no_ref_key UNIQUE (client_no, ref),
	CONSTRAINT jobs_id_key UNIQUE (id),
	CONSTRAINT jobs_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no),
	CONSTRAINT jobs_feed_no_fkey FOREIGN KEY(feed_no) REFERENCES feeds (no)
);
CREATE INDEX jobs_by_client ON jobs (client_no, no, left_at, end_at);
CREATE INDEX jobs_by_currency ON jobs (client_no, cpc_currency) WHERE cpc_currency != '';
CREATE INDEX jobs_by_deletion ON jobs (feed_no) WHERE deleted_at IS NOT NULL;
CREATE INDEX jobs_by_end ON jobs (end_at) WHERE end_at IS NOT NULL;
CREATE INDEX jobs_by_feed ON jobs (feed_no);
CREATE TABLE mails (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	agency_no BIGINT,
	person_no BIGINT NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	about TEXT COLLATE "C" NOT NULL,
	recipient TEXT COLLATE "C" NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	attempts BIGINT NOT NULL,
	failure TEXT COLLATE "C",
	created_at BIGINT NOT NULL,
	ended_at BIGINT,
	CONSTRAINT mails_pkey PRIMARY KEY (no),
	CONSTRAINT mails_id_key UNIQUE (id),
	CONSTRAINT mails_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no),
	CONSTRAINT mails_person_no_fkey FOREIGN KEY(person_no) REFERENCES persons (no)
);
CREATE INDEX mails_by_age ON mails (created_at);
CREATE INDEX mails_by_person ON mails (person_no, no);
CREATE INDEX mails_by_state ON mails (state, no);
CREATE TABLE person_alerts (
	no BIGSERIAL NOT NULL,
	person_no BIGINT NOT NULL,
	cause TEXT COLLATE "C" NOT NULL,
	told_at BIGINT NOT NULL,
	CONSTRAINT person_alerts_pkey PRIMARY KEY (no),
	CONSTRAINT person_alerts_person_no_cause_key UNIQUE (person_no, cause),
	CONSTRAINT person_alerts_person_no_fkey FOREIGN KEY(person_no) REFERENCES persons (no)
);
CREATE TABLE person_clients (
	no BIGSERIAL NOT NULL,
	person_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	CONSTRAINT person_clients_pkey PRIMARY KEY (no),
	CONSTRAINT person_clients_person_no_client_no_key UNIQUE (person_no, client_no),
	CONSTRAINT person_clients_person_no_fkey FOREIGN KEY(person_no) REFERENCES persons (no),
	CONSTRAINT person_clients_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no)
);
CREATE TABLE person_identities (
	no BIGSERIAL NOT NULL,
	agency_no BIGINT NOT NULL,
	issuer TEXT COLLATE "C" NOT NULL,
	subject TEXT COLLATE "C" NOT NULL,
	person_no BIGINT NOT NULL,
	CONSTRAINT person_identities_pkey PRIMARY KEY (no),
	CONSTRAINT person_identities_agency_no_issuer_subject_key UNIQUE (agency_no, issuer, subject),
	CONSTRAINT person_identities_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no),
	CONSTRAINT person_identities_person_no_fkey FOREIGN KEY(person_no) REFERENCES persons (no)
);
CREATE INDEX person_identities_by_person ON person_identities (person_no, no);
CREATE TABLE person_links (
	no BIGSERIAL NOT NULL,
	person_no BIGINT,
	prefix TEXT COLLATE "C" NOT NULL,
	digest BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	CONSTRAINT person_links_pkey PRIMARY KEY (no),
	CONSTRAINT person_links_prefix_key UNIQUE (prefix),
	CONSTRAINT person_links_person_no_fkey FOREIGN KEY(person_no) REFERENCES persons (no)
);
CREATE INDEX person_links_by_end ON person_links (expires_at);
CREATE INDEX person_links_by_person ON person_links (person_no);
CREATE TABLE person_mails (
	no BIGSERIAL NOT NULL,
	person_no BIGINT NOT NULL,
	choices TEXT COLLATE "C" NOT NULL,
	marks TEXT COLLATE "C" NOT NULL,
	CONSTRAINT person_mails_pkey PRIMARY KEY (no),
	CONSTRAINT person_mails_person_no_key UNIQUE (person_no),
	CONSTRAINT person_mails_person_no_fkey FOREIGN KEY(person_no) REFERENCES persons (no)
);
CREATE TABLE person_recoveries (
	no BIGSERIAL NOT NULL,
	person_no BIGINT NOT NULL,
	digest BYTEA NOT NULL,
	CONSTRAINT person_recoveries_pkey PRIMARY KEY (no),
	CONSTRAINT person_recoveries_person_no_digest_key UNIQUE (person_no, digest),
	CONSTRAINT person_recoveries_person_no_fkey FOREIGN KEY(person_no) REFERENCES persons (no)
);
CREATE TABLE person_secrets (
	no BIGSERIAL NOT NULL,
	person_no BIGINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	value BYTEA NOT NULL,
	CONSTRAINT person_secrets_pkey PRIMARY KEY (no),
	CONSTRAINT person_secrets_person_no_name_key UNIQUE (person_no, name),
	CONSTRAINT person_secrets_person_no_fkey FOREIGN KEY(person_no) REFERENCES persons (no)
);
CREATE TABLE person_sessions (
	no BIGSERIAL NOT NULL,
	person_no BIGINT NOT NULL,
	agency_no BIGINT,
	prefix TEXT COLLATE "C" NOT NULL,
	digest BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	ends_at BIGINT NOT NULL,
	CONSTRAINT person_sessions_pkey PRIMARY KEY (no),
	CONSTRAINT person_sessions_prefix_key UNIQUE (prefix),
	CONSTRAINT person_sessions_person_no_fkey FOREIGN KEY(person_no) REFERENCES persons (no),
	CONSTRAINT person_sessions_agency_no_fkey FOREIGN KEY(agency_no) REFERENCES agencies (no)
);
CREATE INDEX person_sessions_by_end ON person_sessions (expires_at);
CREATE INDEX person_sessions_by_person ON person_sessions (person_no, no);
CREATE TABLE posting_config_clients (
	no BIGSERIAL NOT NULL,
	config_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	CONSTRAINT posting_config_clients_pkey PRIMARY KEY (no),
	CONSTRAINT posting_config_clients_config_no_client_no_key UNIQUE (config_no, client_no),
	CONSTRAINT posting_config_clients_config_no_fkey FOREIGN KEY(config_no) REFERENCES posting_configs (no)
);
CREATE INDEX posting_config_clients_by_client ON posting_config_clients (client_no, config_no);
CREATE TABLE report_questions (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	days BIGINT NOT NULL,
	told_by TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	link_prefix TEXT COLLATE "C",
	link_digest BYTEA,
	link_until BIGINT,
	link_person_no BIGINT,
	link_key_no BIGINT,
	link_program TEXT COLLATE "C",
	CONSTRAINT report_questions_pkey PRIMARY KEY (no),
	CONSTRAINT report_questions_id_key UNIQUE (id),
	CONSTRAINT report_questions_link_prefix_key UNIQUE (link_prefix),
	CONSTRAINT report_questions_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no),
	CONSTRAINT report_questions_link_person_no_fkey FOREIGN KEY(link_person_no) REFERENCES persons (no)
);
CREATE INDEX report_questions_by_client ON report_questions (client_no, no);
CREATE TABLE rule_holds (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	rule_no BIGINT NOT NULL,
	run_id TEXT COLLATE "C" NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	entity TEXT COLLATE "C" NOT NULL,
	entity_id TEXT COLLATE "C" NOT NULL,
	publisher_id TEXT COLLATE "C" NOT NULL,
	since_at BIGINT NOT NULL,
	CONSTRAINT rule_holds_pkey PRIMARY KEY (no),
	CONSTRAINT rule_holds_id_key UNIQUE (id),
	CONSTRAINT rule_holds_rule_no_kind_entity_key UNIQUE (rule_no, kind, entity),
	CONSTRAINT rule_holds_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no),
	CONSTRAINT rule_holds_rule_no_fkey FOREIGN KEY(rule_no) REFERENCES rules (no)
);
CREATE INDEX rule_holds_by_client ON rule_holds (client_no, kind, entity);
CREATE TABLE rule_runs (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	client_no BIGINT NOT NULL,
	rule_no BIGINT NOT NULL,
	at BIGINT NOT NULL,
	mode TEXT COLLATE "C" NOT NULL,
	body TEXT COLLATE "C" NOT NULL,
	undone_at BIGINT,
	CONSTRAINT rule_runs_pkey PRIMARY KEY (no),
	CONSTRAINT rule_runs_id_key UNIQUE (id),
	CONSTRAINT rule_runs_client_no_fkey FOREIGN KEY(client_no) REFERENCES clients (no),
	CONSTRAINT rule_runs_rule_no_fkey FOREIGN KEY(rule_no) REFERENCES rules (no)
);
CREATE INDEX rule_runs_by_age ON rule_runs (at);
CREATE INDEX rule_runs_by_client ON rule_runs (client_no, no);
CREATE INDEX rule_runs_by_rule ON rule_runs (rule_no, no);
CREATE TABLE also_carried (
	feed_no BIGINT NOT NULL,
	job_no BIGINT NOT NULL,
	CONSTRAINT also_carried_pkey PRIMARY KEY (feed_no, job_no),
	CONSTRAINT also_carried_feed_no_fkey FOREIGN KEY(feed_no) REFERENCES feeds (no),
	CONSTRAINT also_carried_job_no_fkey FOREIGN KEY(job_no) REFERENCES jobs (no)
);
CREATE INDEX also_carried_by_job ON also_carried (job_no);
CREATE TABLE hires (
	no BIGSERIAL NOT NULL,
	client_no BIGINT NOT NULL,
	application TEXT COLLATE "C" NOT NULL,
	click_id BYTEA NOT NULL,
	facts BYTEA NOT NULL,
	item_no BIGINT NOT NULL,
	at BIGINT NOT NULL,
	received_at BIGINT NOT NULL,
	booked_at BIGINT,
	CONSTRAINT hires_pkey PRIMARY KEY (no),
	CONSTRAINT hires_client_no_application_key UNIQUE (client_no, application),
	CONSTRAINT hires_item_no_fkey FOREIGN KEY(item_no) REFERENCES funnel_items (no)
);
CREATE INDEX hires_by_booked ON hires (booked_at, no);
CREATE INDEX hires_by_click ON hires (client_no, click_id);
CREATE TABLE job_bodies (
	job_no BIGINT NOT NULL,
	body BYTEA NOT NULL,
	CONSTRAINT job_bodies_pkey PRIMARY KEY (job_no),
	CONSTRAINT job_bodies_job_no_fkey FOREIGN KEY(job_no) REFERENCES jobs (no)
);
CREATE TABLE mail_bodies (
	no BIGSERIAL NOT NULL,
	mail_no BIGINT NOT NULL,
	value BYTEA NOT NULL,
	CONSTRAINT mail_bodies_pkey PRIMARY KEY (no),
	CONSTRAINT mail_bodies_mail_no_key UNIQUE (mail_no),
	CONSTRAINT mail_bodies_mail_no_fkey FOREIGN KEY(mail_no) REFERENCES mails (no)
);
CREATE TABLE matches (
	job_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	group_no BIGINT NOT NULL,
	CONSTRAINT matches_pkey PRIMARY KEY (job_no),
	CONSTRAINT matches_job_no_fkey FOREIGN KEY(job_no) REFERENCES jobs (no)
);
CREATE INDEX matches_by_client ON matches (client_no, job_no);
CREATE INDEX matches_by_group ON matches (group_no);
CREATE TABLE posting_jobs (
	no BIGSERIAL NOT NULL,
	id TEXT COLLATE "C" NOT NULL,
	config_no BIGINT NOT NULL,
	client_no BIGINT NOT NULL,
	job_no BIGINT NOT NULL,
	posted SMALLINT NOT NULL,
	pinned SMALLINT NOT NULL,
	paused SMALLINT NOT NULL,
	times BIGINT NOT NULL,
	waiting_at BIGINT NOT NULL,
	posted_at BIGINT,
	credit_at BIGINT,
	ended_at BIGINT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	CONSTRAINT posting_jobs_pkey PRIMARY KEY (no),
	CONSTRAINT posting_jobs_id_key UNIQUE (id),
	CONSTRAINT posting_jobs_config_no_job_no_key UNIQUE (config_no, job_no),
	CONSTRAINT posting_jobs_config_no_fkey FOREIGN KEY(config_no) REFERENCES posting_configs (no),
	CONSTRAINT posting_jobs_job_no_fkey FOREIGN KEY(job_no) REFERENCES jobs (no)
);
CREATE INDEX posting_jobs_by_client ON posting_jobs (client_no, config_no);
CREATE TABLE staged_jobs (
	job_no BIGINT NOT NULL,
	feed_no BIGINT NOT NULL,
	end_at BIGINT,
	brought BYTEA,
	CONSTRAINT staged_jobs_pkey PRIMARY KEY (job_no),
	CONSTRAINT staged_jobs_job_no_fkey FOREIGN KEY(job_no) REFERENCES jobs (no)
);
CREATE INDEX staged_jobs_by_feed ON staged_jobs (feed_no, job_no);
