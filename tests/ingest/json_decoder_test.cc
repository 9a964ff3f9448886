#include <limits>

#include "ingest/row_identity.h"
#include "tests/ingest/decode_harness.h"

namespace driftd::ingest {
namespace {

constexpr Time kNow = 1700000000123 * kMillisecond;

Schema plant() {
  return {{field("temperature", FieldKind::kNumber), field("count", FieldKind::kInteger), field("on", FieldKind::kFlag),
           field("status", FieldKind::kCategory), field("note", FieldKind::kText), field("text_number", FieldKind::kNumber, "", true)}};
}

// A record of sensor "p1" at kNow with more members in front.
std::string record(const std::string& members) { return "{" + members + (members.empty() ? "" : ",") + R"("id":"p1","ts":1700000000123})"; }

DecodeHarness harness() { return DecodeHarness("json", options("id", "ts"), plant()); }

TEST(JsonDecoder, ReadsAWholeRecord) {
  auto h = harness();
  h.decode({record(R"("temperature":21.5,"count":-3,"on":true,"status":"ok","note":"a\nb","text_number":"1e3")")});
  ASSERT_EQ(h.batch().rows(), 1U);
  EXPECT_EQ(h.sensor(), "p1");
  EXPECT_EQ(h.batch().event_time[0], kNow);
  EXPECT_EQ(h.batch().arrival[0], kNoTime);
  const char* expected[] = {"21.5", "-3", "1", "ok", "a\nb", "1000"};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(h.cell(i), expected[i]) << i;
  EXPECT_TRUE(h.rejects.empty());
  EXPECT_TRUE(h.extra.empty());
}

TEST(JsonDecoder, CellOfTheNumberField) {
  const DecodeCase cases[] = {
      {"", "missing"},
      {R"("temperature":null)", "null"},
      {R"("temperature":"21.5")", "wrong_type"},
      {R"("temperature":true)", "wrong_type"},
      {R"("temperature":{"v":1})", "wrong_type"},
      {R"("temperature":[1])", "wrong_type"},
      {R"("temperature":1e400)", "not_finite"},
      {R"("temperature":-1e400)", "not_finite"},
      {R"("temperature":1e-400)", "0"},
      {R"("temperature":-0)", "-0"},
      {R"("temperature":123456789012345678901234567890)", "123456789012345677877719597056"},
      {R"("temperature":1,"temperature":2)", "2"},
      {R"("temperature":1,"temperature":null)", "null"},
      {R"("temp\u0065rature":7)", "7"},
      {R"( "temperature" : 4.25 )", "4.25"},
  };
  for (const DecodeCase& c : cases) {
    auto h = harness();
    h.decode({record(c.payload)});
    ASSERT_EQ(h.batch().rows(), 1U) << c.payload;
    EXPECT_EQ(h.cell(0), c.expected) << c.payload;
  }
}

TEST(JsonDecoder, CellsOfOtherKinds) {
  struct {
    const char* members;
    std::size_t field;
    const char* expected;
  } const cases[] = {
      {R"("count":2.5)", 1, "wrong_type"},
      {R"("count":9007199254740991)", 1, "9007199254740991"},
      {R"("count":9007199254740992)", 1, "wrong_type"},  // 2^53 + 1 would be the same double
      {R"("on":false)", 2, "0"},
      {R"("on":1)", 2, "1"},
      {R"("on":2)", 2, "wrong_type"},
      {R"("status":5)", 3, "wrong_type"},
      {R"("status":true)", 3, "true"},
      {R"("note":"\u00e9\ud83d\ude00")", 4, "\u00e9\U0001F600"},
      {R"("text_number":5)", 5, "5"},
      {R"("text_number":"x")", 5, "wrong_type"},
      {R"("text_number":"1e400")", 5, "not_finite"},
      {R"("text_number":"NaN")", 5, "not_finite"},
  };
  for (const auto& c : cases) {
    auto h = harness();
    h.decode({record(c.members)});
    ASSERT_EQ(h.batch().rows(), 1U) << c.members;
    EXPECT_EQ(h.cell(c.field), c.expected) << c.members;
  }
}

TEST(JsonDecoder, KeepsNulBytesInStrings) {
  auto h = harness();
  h.decode({record(R"("note":"a\u0000b")")});
  ASSERT_EQ(h.batch().rows(), 1U);
  EXPECT_EQ(h.cell(4), std::string("a\0b", 3));
}

TEST(JsonDecoder, RejectsWithAReason) {
  const std::string deep(63, '['), deeper(64, '[');
  const std::string undeep(63, ']'), undeeper(64, ']');
  const DecodeCase cases[] = {
      {"", "empty_payload"},
      {" ", "undecodable"},
      {"hello", "undecodable"},
      {"[1,2]", "not_an_object"},
      {"12", "not_an_object"},
      {"\"x\"", "not_an_object"},
      {R"({"id":"p1","ts":1700000000123)", "undecodable"},
      {record(R"("temperature":NaN)"), "undecodable"},
      {record(R"("temperature":nan)"), "undecodable"},
      {record(R"("temperature":Infinity)"), "undecodable"},
      {record(R"("temperature":-Infinity)"), "undecodable"},
      {record(R"("temperature":01)"), "undecodable"},
      {record(R"("temperature":1.2.3)"), "undecodable"},
      {record(R"("on":truth)"), "undecodable"},
      {record(R"("temperature":)"), "undecodable"},
      {record(R"("temperature" 5)"), "undecodable"},
      {record(R"("note":"\x")"), "undecodable"},
      {record(R"("note":"\ud800")"), "undecodable"},
      {record("\"note\":\"\xff\""), "undecodable"},
      {record("\"note\":\"a\nb\""), "undecodable"},
      {record("") + "x", "undecodable"},
      {record("") + record(""), "undecodable"},
      {record("\"x\":" + deep + undeep), ""},
      {record("\"x\":" + deeper + undeeper), "too_deep"},
      {record("\"temperature\":" + deeper + undeeper), "too_deep"},
      {record("\"x\":\"" + deeper + "\""), ""},
      {record("\"x\":" + std::string(100000, '[')), "undecodable"},
      {R"({"ts":1700000000123})", "missing_sensor"},
      {R"({"id":null,"ts":1700000000123})", "missing_sensor"},
      {R"({"id":"","ts":1700000000123})", "missing_sensor"},
      {R"({"id":1.5,"ts":1700000000123})", "missing_sensor"},
      {R"({"id":{},"ts":1700000000123})", "missing_sensor"},
      {R"({"id":")" + std::string(257, 'x') + R"(","ts":1700000000123})", "missing_sensor"},
      {R"({"id":"p1"})", "missing_time"},
      {R"({"id":"p1","ts":null})", "missing_time"},
      {R"({"id":"p1","ts":"1700000000123"})", "bad_time"},
      {R"({"id":"p1","ts":[]})", "bad_time"},
      {R"({"id":"p1","ts":true})", "bad_time"},
      {R"({"id":"p1","ts":0})", "absurd_time"},
      {R"({"id":"p1","ts":-1})", "absurd_time"},
      {R"({"id":"p1","ts":315532799999})", "absurd_time"},
      {R"({"id":"p1","ts":315532800000})", ""},
      {R"({"id":"p1","ts":7258118399999})", ""},
      {R"({"id":"p1","ts":7258118400000})", "absurd_time"},
      {R"({"id":"p1","ts":1700000000123000000})", "absurd_time"},
      {R"({"id":"p1","ts":99999999999999999999999})", "absurd_time"},
      {R"({"id":"p1","ts":1e999})", "absurd_time"},
  };
  for (const DecodeCase& c : cases) {
    auto h = harness();
    h.decode({c.payload});
    const std::string shown = c.payload.substr(0, 80);
    EXPECT_EQ(h.batch().rows(), c.expected.empty() ? 1U : 0U) << shown;
    EXPECT_EQ(h.rejects.empty() ? "" : h.rejects[0].second, c.expected) << shown;
    for (const Column& column : h.batch().columns) EXPECT_EQ(column.cells.size(), h.batch().rows()) << shown;
  }
}

TEST(JsonDecoder, PassesOverBadRecordsAndKeepsPositions) {
  auto h = harness();
  h.decode({record(""), "{", record(R"("temperature":1)"), "[]"});
  ASSERT_EQ(h.batch().rows(), 2U);
  EXPECT_EQ(h.batch().position, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(h.cell(0, 0), "missing");
  EXPECT_EQ(h.cell(0, 1), "1");
  const std::vector<std::pair<std::int64_t, std::string>> expected = {{1, "undecodable"}, {3, "not_an_object"}};
  EXPECT_EQ(h.rejects, expected);
}

TEST(JsonDecoder, HoldsItsSizeLimitExactly) {
  DecodeOptions o = options("id", "ts");
  const std::string fits = record(R"("note":")" + std::string(6000, 'x') + "\"");
  o.max_record = fits.size();
  DecodeHarness h("json", o, plant());
  h.decode({record(""), fits, fits + " "});
  EXPECT_EQ(h.batch().rows(), 2U);
  ASSERT_EQ(h.rejects.size(), 1U);
  EXPECT_EQ(h.rejects[0].second, "too_large");
}

TEST(JsonDecoder, ReadsNestedPlaces) {
  const Schema schema{{field("a", FieldKind::kNumber, "/r/0/v"), field("b", FieldKind::kNumber, "/r/1/v"),
                       field("c", FieldKind::kText, "/meta/site~1id"), field("d", FieldKind::kNumber, "/meta/deep/x"),
                       field("e", FieldKind::kNumber, "top/level")}};
  DecodeHarness h("json", options("/meta/id", "/meta/t", TimeUnit::kRfc3339), schema);
  h.decode({R"({"r":[{"v":1,"w":0},{"v":2},{"v":3}],"top/level":5,
                "meta":{"z":[],"id":17,"t":"2023-11-14T22:13:20.123Z","site/id":"s","deep":{"x":4,"y":{}}}})",
            R"({"meta":{"id":"p","t":"2023-11-14T22:13:20Z","deep":{"x":4}},"r":{"0":{"v":9}}})",
            R"({"meta":{"id":"p","t":"2023-11-14T22:13:20Z"},"meta":{"id":"q"}})"});
  ASSERT_EQ(h.batch().rows(), 2U);
  EXPECT_EQ(h.sensor(), "17");
  EXPECT_EQ(h.batch().event_time[0], kNow);
  const char* expected[] = {"1", "2", "s", "4", "5"};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(h.cell(i), expected[i]) << i;
  EXPECT_EQ(h.cell(0, 1), "9");
  EXPECT_EQ(h.cell(2, 1), "missing");
  // The second "meta" replaces the first, and it has no time.
  ASSERT_EQ(h.rejects.size(), 1U);
  EXPECT_EQ(h.rejects[0].second, "missing_time");
}

TEST(JsonDecoder, OnePlaceCanServeSeveralPurposes) {
  const Schema schema{{field("id_text", FieldKind::kText, "id"), field("ts_number", FieldKind::kNumber, "ts")}};
  DecodeHarness h("json", options("id", "ts"), schema);
  h.decode({record("")});
  ASSERT_EQ(h.batch().rows(), 1U);
  EXPECT_EQ(h.cell(0), "p1");
  EXPECT_EQ(h.cell(1), "1700000000123");
}

TEST(JsonDecoder, ReadsTimesExactly) {
  struct {
    TimeUnit unit;
    const char* ts;
    Time expected;
  } const cases[] = {
      {TimeUnit::kSeconds, "1700000000", 1700000000 * kSecond},
      {TimeUnit::kSeconds, "1700000000.123456789", 1700000000123456789},
      {TimeUnit::kSeconds, "1700000000.1234567891", 1700000000123456789},
      {TimeUnit::kSeconds, "1.7e9", 1700000000 * kSecond},
      {TimeUnit::kMillis, "1700000000123.5", 1700000000123500000},
      {TimeUnit::kMicros, "1700000000123456", 1700000000123456000},
      {TimeUnit::kNanos, "1700000000123456789", 1700000000123456789},
      {TimeUnit::kRfc3339, "\"2023-11-14T23:13:20.5+01:00\"", 1700000000 * kSecond + kSecond / 2},
  };
  for (const auto& c : cases) {
    DecodeHarness h("json", options("", "ts", c.unit), {});
    h.decode({std::string("{\"ts\":") + c.ts + "}"});
    ASSERT_EQ(h.batch().rows(), 1U) << c.ts;
    EXPECT_EQ(h.batch().event_time[0], c.expected) << c.ts;
    EXPECT_EQ(h.sensor(), "-");
  }
  DecodeHarness h("json", options("", "ts", TimeUnit::kRfc3339), {});
  h.decode({R"({"ts":1700000000})", R"({"ts":"yesterday"})", R"({"ts":"1960-01-01T00:00:00Z"})"});
  ASSERT_EQ(h.rejects.size(), 3U);
  EXPECT_EQ(h.rejects[0].second, "bad_time");
  EXPECT_EQ(h.rejects[1].second, "bad_time");
  EXPECT_EQ(h.rejects[2].second, "absurd_time");
}

TEST(JsonDecoder, TakesSensorAndTimeFromOutside) {
  RawRecord like;
  like.key = "pump-key";
  like.topic = "plant/1";
  like.arrival = kNow;
  for (const auto& [place, expected] : {std::pair{"@key", "pump-key"}, std::pair{"@topic", "plant/1"}}) {
    DecodeHarness h("json", options(place, "@arrival"), {});
    h.decode({"{}"}, like);
    ASSERT_EQ(h.batch().rows(), 1U);
    EXPECT_EQ(h.sensor(), expected);
    EXPECT_EQ(h.batch().event_time[0], kNow);
    EXPECT_EQ(h.batch().arrival[0], kNow);
  }
  DecodeHarness h("json", options("@key", "@arrival"), {});
  h.decode({"{}"});
  ASSERT_EQ(h.rejects.size(), 1U);
  EXPECT_EQ(h.rejects[0].second, "missing_sensor");
}

TEST(JsonDecoder, TakesAllOfARecordFromItsTopic) {
  RawRecord like;
  like.topic = "plant/hall-3/pump-7";
  like.arrival = kNow;
  DecodeHarness h("json", options("@topic/3", "@arrival"), {{field("hall", FieldKind::kText, "@topic/2")}});
  h.decode({R"({"x":1,"y":{"z":[2]}})"}, like);
  ASSERT_EQ(h.batch().rows(), 1U);
  EXPECT_EQ(h.sensor(), "pump-7");
  EXPECT_EQ(h.batch().text(h.batch().columns[0], 0), "hall-3");
  EXPECT_EQ(h.extra, (std::vector<std::string>{"x", "y"}));
}

// As the producer's clock says it: a time that nothing can reckon with must not become an event time.
TEST(JsonDecoder, RefusesAbsurdTimesOfArrival) {
  DecodeHarness h("json", options("id", "@arrival"), {});
  RawRecord like;
  for (const Time arrival : {Time{0}, kEarliestTime - 1, kLatestTime, std::numeric_limits<Time>::max()}) {
    like.arrival = arrival;
    h.rejects.clear();
    EXPECT_EQ(h.decode({R"({"id":"a"})"}, like).rows(), 0U) << arrival;
    ASSERT_EQ(h.rejects.size(), 1U) << arrival;
    EXPECT_EQ(h.rejects[0].second, "absurd_time");
  }
  like.arrival = kLatestTime - 1;
  EXPECT_EQ(h.decode({R"({"id":"a"})"}, like).rows(), 1U);
}

TEST(JsonDecoder, JudgesTheFutureByArrival) {
  RawRecord like;
  like.arrival = kNow - 60 * kSecond;
  auto h = harness();
  h.decode({record("")}, like);
  EXPECT_EQ(h.batch().rows(), 1U);
  like.arrival -= 1;
  h.decode({record("")}, like);
  ASSERT_EQ(h.rejects.size(), 1U);
  EXPECT_EQ(h.rejects[0].second, "future_time");
}

TEST(JsonDecoder, AClockThatWasSetBackIsOnlyBelievedWhileRecordsDoNotContradict) {
  RawRecord like;
  like.behind = {kHour, kDay};
  auto h = harness();
  const auto decoded = [&](Time arrival) {
    like.arrival = arrival;
    return h.decode({record("")}, like).rows() == 1;
  };
  ASSERT_TRUE(decoded(kNow - 60 * kSecond));
  EXPECT_EQ(h.batch().arrival[0], kNow - 60 * kSecond) << "it may have been wrong before";
  ASSERT_TRUE(decoded(kNow - 60 * kSecond - 1));
  EXPECT_EQ(h.batch().arrival[0], kNoTime) << "it is wrong now";
  ASSERT_TRUE(decoded(kNow - 60 * kSecond - kDay));
  EXPECT_FALSE(decoded(kNow - 60 * kSecond - kDay - 1)) << "more than the clock was set back";
  ASSERT_EQ(h.rejects.size(), 1U);
  EXPECT_EQ(h.rejects[0].second, "future_time");
}

TEST(JsonDecoder, TimesOfArrivalGoOnWhenTheClockIsSetBack) {
  DecodeHarness h("json", options("id", "@arrival"), {});
  RawRecord like;
  like.arrival = kNow;
  like.behind = {kHour, kDay};
  h.decode({record("")}, like);
  ASSERT_EQ(h.batch().rows(), 1U);
  EXPECT_EQ(h.batch().event_time[0], kNow + kHour);
  EXPECT_EQ(h.batch().arrival[0], kNow + kHour);
}

TEST(JsonDecoder, StopsAtTheSensorLimitAndForgetsNoOne) {
  DecodeHarness h("json", options("id", "ts"), {}, {}, 2);
  const auto of = [](const std::string& id) { return R"({"ts":1700000000123,"id":")" + id + "\"}"; };
  h.decode({of("a"), of("b"), of("c"), of("a")});
  EXPECT_EQ(h.batch().rows(), 3U);
  ASSERT_EQ(h.rejects.size(), 1U);
  EXPECT_EQ(h.rejects[0].second, "sensor_limit");
  // A record that is rejected for another reason does not use up room.
  DecodeHarness other("json", options("id", "ts"), {}, {}, 1);
  other.decode({R"({"ts":0,"id":"a"})", of("b")});
  EXPECT_EQ(other.batch().rows(), 1U);
}

TEST(JsonDecoder, AnIntegerIsOfAWrongTypeWhereDoublesCannotTellItFromTheNext) {
  auto h = harness();
  h.decode({record(R"("count":9007199254740991)"), record(R"("count":-9007199254740991)"), record(R"("count":9007199254740992)"),
            record(R"("count":9007199254740993)"), record(R"("count":-9007199254740992)")});
  EXPECT_EQ(h.cell(1, 0), "9007199254740991");
  EXPECT_EQ(h.cell(1, 1), "-9007199254740991");
  for (std::uint32_t r = 2; r < 5; ++r) EXPECT_EQ(h.cell(1, r), "wrong_type") << r;
}

TEST(JsonDecoder, NamesExtraFields) {
  auto h = harness();
  h.decode({record(R"("new":1,"n\u0065w2":{"temperature":9},"temperature":3)")});
  EXPECT_EQ(h.extra, (std::vector<std::string>{"new", "new2"}));
  EXPECT_EQ(h.cell(0), "3");
}

TEST(JsonDecoder, FindsKeysInAnyOrder) {
  auto h = harness();
  h.decode({R"({"temperature":1,"count":2,"id":"p1","ts":1700000000123})",
            R"({"ts":1700000000123,"count":3,"id":"p1","temperature":4,"id":"p2"})",
            R"({"temperature":5,"count":6,"id":"p1","ts":1700000000123})"});
  ASSERT_EQ(h.batch().rows(), 3U);
  EXPECT_EQ(h.cell(0, 1), "4");
  EXPECT_EQ(h.cell(1, 1), "3");
  EXPECT_EQ(h.sensor(1), "p2");
  EXPECT_EQ(h.cell(0, 2), "5");
  EXPECT_EQ(h.cell(1, 2), "6");
}

TEST(JsonDecoder, RefusesDamagedPaths) {
  const auto* unit = decoders().find("json");
  for (const std::string path : {"/a~2", "/a~", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"}) {
    const Schema schema{{field("x", FieldKind::kNumber, path)}};
    const auto made = unit->make({}, options("id", "ts"), schema);
    ASSERT_FALSE(made.ok()) << path;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace driftd::ingest
