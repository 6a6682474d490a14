BEGIN TRANSACTION;
CREATE TABLE analysis (
    path BLOB NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, payload TEXT NOT NULL,
    PRIMARY KEY (path, part, key)
) WITHOUT ROWID;
INSERT INTO "analysis" VALUES(X'61312D7265642E706E67','answers','b1d3708a3d837af2a9ba6d205413acd7',18,1795800235332841692,64,48,'[{"question":"color","object":"a","answer":"red","raw":"red","probability":0.8,"tag":"red_a","locked":false,"person":0}]');
INSERT INTO "analysis" VALUES(X'61312D7265642E706E67','tags','fake fake',18,1795800235332841692,64,48,'[{"name":"1girl","category":"general","score":0.99,"source":"tagger","locked":false},{"name":"black_hair","category":"general","score":0.9,"source":"tagger","locked":false},{"name":"a","category":"general","score":0.8,"source":"tagger","locked":false},{"name":"smile","category":"general","score":0.5,"source":"tagger","locked":false},{"name":"hat","category":"general","score":0.2,"source":"tagger","locked":false},{"name":"general","category":"rating","score":0.9,"source":"tagger","locked":false}]');
INSERT INTO "analysis" VALUES(X'62322D626C75652E706E67','answers','b1d3708a3d837af2a9ba6d205413acd7',19,1795800235333092434,64,48,'[{"question":"count","object":"b","answer":"2","raw":"2","probability":0.9,"tag":"2_bs","locked":false,"person":0},{"question":"color","object":"b","answer":"blue","raw":"blue","probability":0.8,"tag":"blue_b","locked":false,"person":0}]');
INSERT INTO "analysis" VALUES(X'62322D626C75652E706E67','tags','fake fake',19,1795800235333092434,64,48,'[{"name":"1girl","category":"general","score":0.99,"source":"tagger","locked":false},{"name":"black_hair","category":"general","score":0.9,"source":"tagger","locked":false},{"name":"b","category":"general","score":0.8,"source":"tagger","locked":false},{"name":"smile","category":"general","score":0.5,"source":"tagger","locked":false},{"name":"hat","category":"general","score":0.2,"source":"tagger","locked":false},{"name":"general","category":"rating","score":0.9,"source":"tagger","locked":false}]');
INSERT INTO "analysis" VALUES(X'63332D677265656E2E706E67','answers','b1d3708a3d837af2a9ba6d205413acd7',20,1795800235333310227,64,48,'[{"question":"count","object":"c","answer":"3","raw":"3","probability":0.9,"tag":"3_cs","locked":false,"person":0},{"question":"color","object":"c","answer":"green","raw":"green","probability":0.8,"tag":"green_c","locked":false,"person":0}]');
INSERT INTO "analysis" VALUES(X'63332D677265656E2E706E67','tags','fake fake',20,1795800235333310227,64,48,'[{"name":"1girl","category":"general","score":0.99,"source":"tagger","locked":false},{"name":"black_hair","category":"general","score":0.9,"source":"tagger","locked":false},{"name":"c","category":"general","score":0.8,"source":"tagger","locked":false},{"name":"smile","category":"general","score":0.5,"source":"tagger","locked":false},{"name":"hat","category":"general","score":0.2,"source":"tagger","locked":false},{"name":"general","category":"rating","score":0.9,"source":"tagger","locked":false}]');
CREATE TABLE captions (path BLOB PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "captions" VALUES(X'61312D7265642E747874','{"text":"mine, odd   spacing, 1girl, black hair, a, red a","separator":", ","ours":["1girl","black_hair","a","red_a"],"added":["mine","odd_spacing"],"removed":[],"marks":[]}');
INSERT INTO "captions" VALUES(X'62322D626C75652E747874','{"text":"edited by hand","separator":", ","ours":[],"added":["edited_by_hand"],"removed":["1girl","2_bs","b","black_hair","blue_b","smile"],"marks":[]}');
INSERT INTO "captions" VALUES(X'63332D677265656E2E747874','{"text":"1girl, black hair, 3 cs, c, green c","separator":", ","ours":["1girl","black_hair","3_cs","c","green_c"],"added":[],"removed":[],"marks":[]}');
CREATE TABLE changes (
    run INTEGER NOT NULL, path BLOB NOT NULL, state TEXT NOT NULL,
    before BLOB, after BLOB, record_before TEXT, record_after TEXT,
    PRIMARY KEY (run, path)
) WITHOUT ROWID;
INSERT INTO "changes" VALUES(1,X'61312D7265642E747874','written',X'6D696E652C20206F646420202073706163696E670D0A',X'6D696E652C206F646420202073706163696E672C20316769726C2C20626C61636B20686169722C20612C2072656420612C20736D696C65',NULL,'{"text":"mine, odd   spacing, 1girl, black hair, a, red a, smile","separator":", ","ours":["1girl","black_hair","a","red_a","smile"],"added":["mine","odd_spacing"],"removed":[],"marks":[]}');
INSERT INTO "changes" VALUES(1,X'62322D626C75652E747874','written',NULL,X'316769726C2C20626C61636B20686169722C20322062732C20622C20626C756520622C20736D696C65',NULL,'{"text":"1girl, black hair, 2 bs, b, blue b, smile","separator":", ","ours":["1girl","black_hair","2_bs","b","blue_b","smile"],"added":[],"removed":[],"marks":[]}');
INSERT INTO "changes" VALUES(1,X'63332D677265656E2E747874','written',NULL,X'316769726C2C20626C61636B20686169722C20332063732C20632C20677265656E20632C20736D696C65',NULL,'{"text":"1girl, black hair, 3 cs, c, green c, smile","separator":", ","ours":["1girl","black_hair","3_cs","c","green_c","smile"],"added":[],"removed":[],"marks":[]}');
INSERT INTO "changes" VALUES(2,X'61312D7265642E747874','written',X'6D696E652C206F646420202073706163696E672C20316769726C2C20626C61636B20686169722C20612C2072656420612C20736D696C65',X'6D696E652C20206F646420202073706163696E670D0A','{"text":"mine, odd   spacing, 1girl, black hair, a, red a, smile","separator":", ","ours":["1girl","black_hair","a","red_a","smile"],"added":["mine","odd_spacing"],"removed":[],"marks":[]}',NULL);
INSERT INTO "changes" VALUES(2,X'63332D677265656E2E747874','written',X'316769726C2C20626C61636B20686169722C20332063732C20632C20677265656E20632C20736D696C65',NULL,'{"text":"1girl, black hair, 3 cs, c, green c, smile","separator":", ","ours":["1girl","black_hair","3_cs","c","green_c","smile"],"added":[],"removed":[],"marks":[]}',NULL);
INSERT INTO "changes" VALUES(3,X'61312D7265642E747874','written',X'6D696E652C20206F646420202073706163696E670D0A',X'6D696E652C206F646420202073706163696E672C20316769726C2C20626C61636B20686169722C20612C207265642061',NULL,'{"text":"mine, odd   spacing, 1girl, black hair, a, red a","separator":", ","ours":["1girl","black_hair","a","red_a"],"added":["mine","odd_spacing"],"removed":[],"marks":[]}');
INSERT INTO "changes" VALUES(3,X'63332D677265656E2E747874','written',NULL,X'316769726C2C20626C61636B20686169722C20332063732C20632C20677265656E2063',NULL,'{"text":"1girl, black hair, 3 cs, c, green c","separator":", ","ours":["1girl","black_hair","3_cs","c","green_c"],"added":[],"removed":[],"marks":[]}');
INSERT INTO "changes" VALUES(4,X'61312D7265642E747874','written',X'6D696E652C206F646420202073706163696E672C20316769726C2C20626C61636B20686169722C20612C207265642061',X'6D696E652C20206F646420202073706163696E670D0A','{"text":"mine, odd   spacing, 1girl, black hair, a, red a","separator":", ","ours":["1girl","black_hair","a","red_a"],"added":["mine","odd_spacing"],"removed":[],"marks":[]}',NULL);
INSERT INTO "changes" VALUES(4,X'63332D677265656E2E747874','written',X'316769726C2C20626C61636B20686169722C20332063732C20632C20677265656E2063',NULL,'{"text":"1girl, black hair, 3 cs, c, green c","separator":", ","ours":["1girl","black_hair","3_cs","c","green_c"],"added":[],"removed":[],"marks":[]}',NULL);
INSERT INTO "changes" VALUES(5,X'61312D7265642E747874','written',X'6D696E652C20206F646420202073706163696E670D0A',X'6D696E652C206F646420202073706163696E672C20316769726C2C20626C61636B20686169722C20612C207265642061',NULL,'{"text":"mine, odd   spacing, 1girl, black hair, a, red a","separator":", ","ours":["1girl","black_hair","a","red_a"],"added":["mine","odd_spacing"],"removed":[],"marks":[]}');
INSERT INTO "changes" VALUES(5,X'63332D677265656E2E747874','written',NULL,X'316769726C2C20626C61636B20686169722C20332063732C20632C20677265656E2063',NULL,'{"text":"1girl, black hair, 3 cs, c, green c","separator":", ","ours":["1girl","black_hair","3_cs","c","green_c"],"added":[],"removed":[],"marks":[]}');
CREATE TABLE items (
    run INTEGER NOT NULL, path BLOB NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (run, path)
) WITHOUT ROWID;
INSERT INTO "items" VALUES(1,X'61312D7265642E706E67','');
INSERT INTO "items" VALUES(1,X'62322D626C75652E706E67','');
INSERT INTO "items" VALUES(1,X'63332D677265656E2E706E67','');
INSERT INTO "items" VALUES(3,X'61312D7265642E706E67','');
INSERT INTO "items" VALUES(3,X'62322D626C75652E706E67','');
INSERT INTO "items" VALUES(3,X'63332D677265656E2E706E67','');
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "meta" VALUES('root','/dataset');
CREATE TABLE models (spec TEXT PRIMARY KEY, key TEXT NOT NULL, thresholds TEXT NOT NULL);
INSERT INTO "models" VALUES('tagger|fake','fake fake','{"general": 0.35, "character": 0.85, "tags": {}}');
INSERT INTO "models" VALUES('vlm|fake','fake fake','{}');
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, status TEXT NOT NULL,
    started REAL NOT NULL, finished REAL, config TEXT NOT NULL, config_key TEXT NOT NULL,
    images INTEGER NOT NULL DEFAULT 0, undoes INTEGER
);
INSERT INTO "runs" VALUES(1,'tag','undone',1.7958002353835129738e+09,1.79580023563737440107e+09,'{"tagger": "fake", "vlm": "fake"}','e476d882bcdfdc1c3f47e145759eda47',3,NULL);
INSERT INTO "runs" VALUES(2,'undo','done',1.79580023565263772016e+09,1.79580023568607115747e+09,'{}','undo 1 False',3,1);
INSERT INTO "runs" VALUES(3,'tag','undone',1.79580023570901679995e+09,1.79580023575856757159e+09,'{"tagger": "fake", "vlm": "fake", "threshold": 0.6}','5e478fa519e51fbf357397e107b4ea39',3,NULL);
INSERT INTO "runs" VALUES(4,'undo','undone',1.79580023577650475501e+09,1.79580023581888914107e+09,'{}','undo 3 False',2,3);
INSERT INTO "runs" VALUES(5,'undo','done',1.79580023584702730184e+09,1.79580023586909365653e+09,'{}','undo 4 False',2,4);
CREATE TABLE verdicts (
    path BLOB NOT NULL, question TEXT NOT NULL, object TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (path, question, object)
) WITHOUT ROWID;
COMMIT;
PRAGMA user_version=1;
