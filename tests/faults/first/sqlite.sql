BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE author (
	id VARCHAR(36) NOT NULL, 
	name TEXT NOT NULL, 
	badge VARCHAR(16), 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_author PRIMARY KEY (id)
);
INSERT INTO "author" VALUES('01a2236a-ec47-7b45-9947-d873a60ea49d','Editor','moderator',1777636801000);
INSERT INTO "author" VALUES('0190a000-0000-8000-8000-00000000000a','Lan',NULL,1777636802000);
INSERT INTO "author" VALUES('0190a000-0000-8000-8000-00000000000b','Minh',NULL,1777636803000);
INSERT INTO "author" VALUES('0190a000-0000-8000-8000-00000000000c','Éva',NULL,1777636804000);
CREATE TABLE comment (
	id VARCHAR(36) NOT NULL, 
	discussion_id INTEGER NOT NULL, 
	parent_id VARCHAR(36), 
	root_id VARCHAR(36) NOT NULL, 
	author_id VARCHAR(36) NOT NULL, 
	author_name TEXT NOT NULL, 
	author_badge VARCHAR(16), 
	text TEXT NOT NULL, 
	body JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	edited_at BIGINT, 
	state VARCHAR(8) NOT NULL, 
	published BOOLEAN NOT NULL, 
	up INTEGER NOT NULL, 
	down INTEGER NOT NULL, 
	reply_count INTEGER NOT NULL, 
	pinned BOOLEAN NOT NULL, 
	idempotency_key VARCHAR(64), 
	request_digest VARCHAR(64), 
	CONSTRAINT pk_comment PRIMARY KEY (id), 
	CONSTRAINT ck_comment_state CHECK (state in ('visible','held','removed','deleted')), 
	CONSTRAINT fk_comment_author_id FOREIGN KEY(author_id) REFERENCES author (id), 
	CONSTRAINT fk_comment_discussion_id FOREIGN KEY(discussion_id) REFERENCES discussion (id), 
	CONSTRAINT fk_comment_parent_id FOREIGN KEY(parent_id) REFERENCES comment (id), 
	CONSTRAINT uq_comment_author_id_idempotency_key UNIQUE (author_id, idempotency_key)
);
INSERT INTO "comment" VALUES('01a2236a-ec4e-790a-93fc-b7a921e267ac',1,NULL,'01a2236a-ec4e-790a-93fc-b7a921e267ac','0190a000-0000-8000-8000-00000000000a','Lan',NULL,'The market should stay where it was.','[{"type": "paragraph", "children": [{"type": "text", "text": "The market should stay where it was."}]}]',1777636802000,1777636805000,'visible',1,1,0,1,0,'01a2236a-ec4f-79a5-a39a-890282d478b0','546865206d61726b65742073686f756c64207374617920776865726520697420');
INSERT INTO "comment" VALUES('01a2236a-ec62-7745-bac4-74d691c46309',1,'01a2236a-ec4e-790a-93fc-b7a921e267ac','01a2236a-ec4e-790a-93fc-b7a921e267ac','0190a000-0000-8000-8000-00000000000b','Minh',NULL,'It floods there, every year.','[{"type": "paragraph", "children": [{"type": "text", "text": "It floods there, every year."}]}]',1777636803000,NULL,'visible',1,0,1,1,0,'01a2236a-ec62-7e40-be9f-ab3073a9bf33','497420666c6f6f64732074686572652c20657665727920796561722e');
INSERT INTO "comment" VALUES('01a2236a-ec6b-7a5c-8c58-6a0b490ca33f',1,'01a2236a-ec62-7745-bac4-74d691c46309','01a2236a-ec4e-790a-93fc-b7a921e267ac','0190a000-0000-8000-8000-00000000000c','Éva',NULL,'Then raise it.','[{"type": "paragraph", "children": [{"type": "text", "text": "Then raise it."}]}]',1777636804000,NULL,'visible',1,0,0,0,0,'01a2236a-ec6b-753c-bcbf-bb96759a8d21','5468656e2072616973652069742e');
INSERT INTO "comment" VALUES('01a2236a-ec91-7123-b084-b4ce4cddfd13',1,NULL,'01a2236a-ec91-7123-b084-b4ce4cddfd13','0190a000-0000-8000-8000-00000000000c','Éva',NULL,'Buy cheap watches','[{"type": "paragraph", "children": [{"type": "text", "text": "Buy cheap watches"}]}]',1777636810000,NULL,'removed',1,0,0,0,0,'01a2236a-ec91-7cc2-a98a-18e56c0b1b2d','4275792063686561702077617463686573');
INSERT INTO "comment" VALUES('01a2236a-ec98-70c6-a206-d4b295cec932',1,NULL,'01a2236a-ec98-70c6-a206-d4b295cec932','0190a000-0000-8000-8000-00000000000b','',NULL,'','[]',1777636813000,NULL,'deleted',1,0,0,0,0,'01a2236a-ec99-75c4-a430-7989403659a1','492074616b652074686174206261636b');
INSERT INTO "comment" VALUES('01a2236a-eca6-76f1-bc99-86e5395a745b',2,NULL,'01a2236a-eca6-76f1-bc99-86e5395a745b','0190a000-0000-8000-8000-00000000000a','Lan',NULL,'I wait for approval.','[{"type": "paragraph", "children": [{"type": "text", "text": "I wait for approval."}]}]',1777636817000,NULL,'held',0,0,0,0,0,'01a2236a-eca6-786c-ba87-cbfacaa1f856','49207761697420666f7220617070726f76616c2e');
INSERT INTO "comment" VALUES('01a2236a-eca9-7e36-b487-766b68b2c1fe',2,NULL,'01a2236a-eca9-7e36-b487-766b68b2c1fe','0190a000-0000-8000-8000-00000000000b','Minh',NULL,'I was approved.','[{"type": "paragraph", "children": [{"type": "text", "text": "I was approved."}]}]',1777636818000,NULL,'visible',1,0,0,0,0,'01a2236a-ecaa-78cf-a030-5cc717277f17','492077617320617070726f7665642e');
CREATE TABLE discussion (
	id INTEGER NOT NULL, 
	site_id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	title TEXT NOT NULL, 
	url TEXT NOT NULL, 
	mode VARCHAR(8) NOT NULL, 
	seq BIGINT NOT NULL, 
	comment_count BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_discussion PRIMARY KEY (id), 
	CONSTRAINT fk_discussion_site_id FOREIGN KEY(site_id) REFERENCES site (id), 
	CONSTRAINT uq_discussion_site_id_key UNIQUE (site_id, "key")
);
INSERT INTO "discussion" VALUES(1,1,'here','About here','https://news.example/','open',12,3,1777636802000);
INSERT INTO "discussion" VALUES(2,1,'there','About there','https://news.example/','held',2,1,1777636816000);
CREATE TABLE event (
	discussion_id INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	comment_id VARCHAR(36), 
	at BIGINT NOT NULL, 
	payload TEXT NOT NULL, 
	CONSTRAINT pk_event PRIMARY KEY (discussion_id, seq), 
	CONSTRAINT fk_event_comment_id FOREIGN KEY(comment_id) REFERENCES comment (id), 
	CONSTRAINT fk_event_discussion_id FOREIGN KEY(discussion_id) REFERENCES discussion (id)
);
INSERT INTO "event" VALUES(1,1,'comment.created','01a2236a-ec4e-790a-93fc-b7a921e267ac',1777636802000,'{"seq":1,"kind":"comment.created","at":"2026-05-01T12:00:02.000Z","comment":{"id":"01a2236a-ec4e-790a-93fc-b7a921e267ac","parent_id":null,"author":{"id":"0190a000-0000-8000-8000-00000000000a","name":"Lan","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"The market should stay where it is."}]}],"created_at":"2026-05-01T12:00:02.000Z","edited_at":null,"state":"visible","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":1}');
INSERT INTO "event" VALUES(1,2,'comment.created','01a2236a-ec62-7745-bac4-74d691c46309',1777636803000,'{"seq":2,"kind":"comment.created","at":"2026-05-01T12:00:03.000Z","comment":{"id":"01a2236a-ec62-7745-bac4-74d691c46309","parent_id":"01a2236a-ec4e-790a-93fc-b7a921e267ac","author":{"id":"0190a000-0000-8000-8000-00000000000b","name":"Minh","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"It floods there, every year."}]}],"created_at":"2026-05-01T12:00:03.000Z","edited_at":null,"state":"visible","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":2,"parent":{"id":"01a2236a-ec4e-790a-93fc-b7a921e267ac","reply_count":1}}');
INSERT INTO "event" VALUES(1,3,'comment.created','01a2236a-ec6b-7a5c-8c58-6a0b490ca33f',1777636804000,'{"seq":3,"kind":"comment.created","at":"2026-05-01T12:00:04.000Z","comment":{"id":"01a2236a-ec6b-7a5c-8c58-6a0b490ca33f","parent_id":"01a2236a-ec62-7745-bac4-74d691c46309","author":{"id":"0190a000-0000-8000-8000-00000000000c","name":"Éva","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"Then raise it."}]}],"created_at":"2026-05-01T12:00:04.000Z","edited_at":null,"state":"visible","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":3,"parent":{"id":"01a2236a-ec62-7745-bac4-74d691c46309","reply_count":1}}');
INSERT INTO "event" VALUES(1,4,'comment.edited','01a2236a-ec4e-790a-93fc-b7a921e267ac',1777636805000,'{"seq":4,"kind":"comment.edited","at":"2026-05-01T12:00:05.000Z","comment":{"id":"01a2236a-ec4e-790a-93fc-b7a921e267ac","parent_id":null,"author":{"id":"0190a000-0000-8000-8000-00000000000a","name":"Lan","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"The market should stay where it was."}]}],"created_at":"2026-05-01T12:00:02.000Z","edited_at":"2026-05-01T12:00:05.000Z","state":"visible","votes":{"up":0,"down":0},"reply_count":1,"pinned":false}}');
INSERT INTO "event" VALUES(1,5,'comment.voted','01a2236a-ec4e-790a-93fc-b7a921e267ac',1777636806000,'{"seq":5,"kind":"comment.voted","at":"2026-05-01T12:00:06.000Z","comment_id":"01a2236a-ec4e-790a-93fc-b7a921e267ac","votes":{"up":1,"down":0}}');
INSERT INTO "event" VALUES(1,6,'comment.voted','01a2236a-ec4e-790a-93fc-b7a921e267ac',1777636807000,'{"seq":6,"kind":"comment.voted","at":"2026-05-01T12:00:07.000Z","comment_id":"01a2236a-ec4e-790a-93fc-b7a921e267ac","votes":{"up":2,"down":0}}');
INSERT INTO "event" VALUES(1,7,'comment.voted','01a2236a-ec62-7745-bac4-74d691c46309',1777636808000,'{"seq":7,"kind":"comment.voted","at":"2026-05-01T12:00:08.000Z","comment_id":"01a2236a-ec62-7745-bac4-74d691c46309","votes":{"up":0,"down":1}}');
INSERT INTO "event" VALUES(1,8,'comment.voted','01a2236a-ec4e-790a-93fc-b7a921e267ac',1777636809000,'{"seq":8,"kind":"comment.voted","at":"2026-05-01T12:00:09.000Z","comment_id":"01a2236a-ec4e-790a-93fc-b7a921e267ac","votes":{"up":1,"down":0}}');
INSERT INTO "event" VALUES(1,9,'comment.created','01a2236a-ec91-7123-b084-b4ce4cddfd13',1777636810000,'{"seq":9,"kind":"comment.created","at":"2026-05-01T12:00:10.000Z","comment":{"id":"01a2236a-ec91-7123-b084-b4ce4cddfd13","parent_id":null,"author":null,"body":null,"created_at":"2026-05-01T12:00:10.000Z","edited_at":null,"state":"removed","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":4}');
INSERT INTO "event" VALUES(1,10,'comment.removed','01a2236a-ec91-7123-b084-b4ce4cddfd13',1777636812000,'{"seq":10,"kind":"comment.removed","at":"2026-05-01T12:00:12.000Z","comment":{"id":"01a2236a-ec91-7123-b084-b4ce4cddfd13","parent_id":null,"author":null,"body":null,"created_at":"2026-05-01T12:00:10.000Z","edited_at":null,"state":"removed","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":3}');
INSERT INTO "event" VALUES(1,11,'comment.created','01a2236a-ec98-70c6-a206-d4b295cec932',1777636813000,'{"seq":11,"kind":"comment.created","at":"2026-05-01T12:00:13.000Z","comment":{"id":"01a2236a-ec98-70c6-a206-d4b295cec932","parent_id":null,"author":null,"body":null,"created_at":"2026-05-01T12:00:13.000Z","edited_at":null,"state":"deleted","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":4}');
INSERT INTO "event" VALUES(1,12,'comment.removed','01a2236a-ec98-70c6-a206-d4b295cec932',1777636814000,'{"seq":12,"kind":"comment.removed","at":"2026-05-01T12:00:14.000Z","comment":{"id":"01a2236a-ec98-70c6-a206-d4b295cec932","parent_id":null,"author":null,"body":null,"created_at":"2026-05-01T12:00:13.000Z","edited_at":null,"state":"deleted","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":3}');
INSERT INTO "event" VALUES(2,1,'discussion.changed',NULL,1777636816000,'{"seq":1,"kind":"discussion.changed","at":"2026-05-01T12:00:16.000Z","discussion":{"mode":"held"}}');
INSERT INTO "event" VALUES(2,2,'comment.created','01a2236a-eca9-7e36-b487-766b68b2c1fe',1777636819000,'{"seq":2,"kind":"comment.created","at":"2026-05-01T12:00:19.000Z","comment":{"id":"01a2236a-eca9-7e36-b487-766b68b2c1fe","parent_id":null,"author":{"id":"0190a000-0000-8000-8000-00000000000b","name":"Minh","badge":null},"body":[{"type":"paragraph","children":[{"type":"text","text":"I was approved."}]}],"created_at":"2026-05-01T12:00:18.000Z","edited_at":null,"state":"visible","votes":{"up":0,"down":0},"reply_count":0,"pinned":false},"comment_count":1}');
CREATE TABLE meta (
	name VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY (name)
);
INSERT INTO "meta" VALUES('epoch','pr7_EREqwBRf');
CREATE TABLE moderator (
	author_id VARCHAR(36) NOT NULL, 
	name TEXT NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_moderator PRIMARY KEY (author_id), 
	CONSTRAINT fk_moderator_author_id FOREIGN KEY(author_id) REFERENCES author (id), 
	CONSTRAINT uq_moderator_name UNIQUE (name), 
	CONSTRAINT uq_moderator_token_hash UNIQUE (token_hash)
);
INSERT INTO "moderator" VALUES('01a2236a-ec47-7b45-9947-d873a60ea49d','Editor','ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',1777636801000);
CREATE TABLE report (
	id VARCHAR(36) NOT NULL, 
	comment_id VARCHAR(36) NOT NULL, 
	reporter_id VARCHAR(36), 
	reason VARCHAR(16) NOT NULL, 
	note TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_report PRIMARY KEY (id), 
	CONSTRAINT fk_report_comment_id FOREIGN KEY(comment_id) REFERENCES comment (id)
);
INSERT INTO "report" VALUES('01a2236a-ec93-7931-a80f-6f938e76b437','01a2236a-ec91-7123-b084-b4ce4cddfd13','0190a000-0000-8000-8000-00000000000a','spam','look at it',1777636811000);
INSERT INTO "report" VALUES('01a2236a-ec9e-774a-99cd-8ade268e0fea','01a2236a-ec62-7745-bac4-74d691c46309','0190a000-0000-8000-8000-00000000000c','spam','look at it',1777636815000);
CREATE TABLE site (
	id INTEGER NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	origins JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_site PRIMARY KEY (id), 
	CONSTRAINT uq_site_key UNIQUE ("key")
);
INSERT INTO "site" VALUES(1,'default','[]',1795890539560);
INSERT INTO "site" VALUES(2,'magazine','["https://magazine.example"]',1777636801000);
CREATE TABLE vote (
	comment_id VARCHAR(36) NOT NULL, 
	voter_id VARCHAR(36) NOT NULL, 
	value INTEGER NOT NULL, 
	CONSTRAINT pk_vote PRIMARY KEY (comment_id, voter_id), 
	CONSTRAINT ck_vote_value CHECK (value in (1, -1)), 
	CONSTRAINT fk_vote_comment_id FOREIGN KEY(comment_id) REFERENCES comment (id)
);
INSERT INTO "vote" VALUES('01a2236a-ec4e-790a-93fc-b7a921e267ac','0190a000-0000-8000-8000-00000000000b',1);
INSERT INTO "vote" VALUES('01a2236a-ec62-7745-bac4-74d691c46309','0190a000-0000-8000-8000-00000000000a',-1);
CREATE INDEX ix_comment_held ON comment (state, created_at, id);
CREATE INDEX ix_comment_parent_id ON comment (parent_id);
CREATE INDEX ix_comment_roots ON comment (discussion_id, parent_id, created_at, id);
CREATE INDEX ix_comment_thread ON comment (root_id, created_at, id);
CREATE INDEX ix_event_comment_id ON event (comment_id);
CREATE INDEX ix_report_comment_id ON report (comment_id);
COMMIT;
