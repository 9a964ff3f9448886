#include "app/config/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace driftd::app {
namespace {

constexpr const char* kGood = R"(streams:
  s:
    from: {file: {paths: [a.jsonl], format: json_lines}}
    decode: {sensor: id, time: {field: ts, unit: s}}
    fields:
      x: number
      site: {type: category, role: segment}
    windows: {size: 10m, slide: 5m, by: [stream, site, sensor]}
    checks:
      - {check: in_range, field: x, min: 0}
)";

std::string errors_of(const std::string& yaml) {
  ErrorList errors;
  read_config(yaml, "", errors);
  return format_errors("c.yaml", errors);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Config, ReadsAStream) {
  ErrorList errors;
  const Config config = read_config(kGood, "", errors);
  ASSERT_TRUE(errors.empty()) << format_errors("c.yaml", errors);
  ASSERT_EQ(config.streams.size(), 1U);
  const StreamConfig& s = config.streams[0];
  EXPECT_EQ(s.source, "file");
  EXPECT_EQ(s.decode.time_unit, ingest::TimeUnit::kSeconds);
  EXPECT_EQ(s.windows.panes(), 2U);
  EXPECT_EQ(s.windows.levels.size(), 3U);
  ASSERT_EQ(s.checks.size(), 1U);
  EXPECT_EQ(s.checks[0].field, 0);
  EXPECT_EQ(config.service.listen, "127.0.0.1:9464");
}

TEST(Config, EveryLimitIsToldToMetrics) {
  ErrorList errors;
  const char* limits =
      "service: {limits: {series: 101, quarantine: 64KiB, journal: 1MiB, waiting: 2MiB, http_requests: 7, sensors: 9, sensor_idle: 90s}}\n";
  const Config config = read_config(limits + std::string(kGood), "", errors);
  ASSERT_TRUE(errors.empty()) << format_errors("c.yaml", errors);
  const std::map<std::string, double> expected = {{"series", 101},      {"quarantine", 65536}, {"journal", 1048576}, {"waiting", 2097152},
                                                  {"http_requests", 7}, {"sensors", 9},        {"sensor_idle", 90}};
  const auto told = limits_of(config.service);
  EXPECT_EQ((std::map<std::string, double>(told.begin(), told.end())), expected);
  for (const ParamSpec& section : service_params()) {
    if (section.name != "limits") continue;
    for (const ParamSpec& key : section.fields) EXPECT_EQ(expected.count(key.name), 1U) << key.name;
    EXPECT_EQ(section.fields.size(), expected.size());
  }
}

TEST(Config, ADetectorRunsForSensorsOnly) {
  const auto with = [](const std::string& by) { return replaced(kGood, "in_range, field: x, min: 0", "page_hinkley, field: x" + by); };
  for (const char* by : {"", ", by: sensor", ", by: [sensor]"}) EXPECT_EQ(errors_of(with(by)), "") << by;
  for (const char* by : {", by: stream", ", by: [sensor, site]"}) {
    EXPECT_NE(errors_of(with(by)).find("by: a detector runs for every sensor"), std::string::npos) << errors_of(with(by));
  }
}

TEST(Config, AGateIsReadAndChangesNoVerdict) {
  const std::string kafka = replaced(kGood, "file: {paths: [a.jsonl], format: json_lines}", "kafka: {brokers: [b], topics: [in]}");
  const std::string gated = replaced(
      kafka, "    checks:", "    gate: {valid: good, invalid: bad, severity: critical, checks: in_range, buffer: 64KiB}\n    checks:");
  ErrorList errors;
  const StreamConfig without = read_config(kafka, "", errors).streams[0];
  const StreamConfig with = read_config(gated, "", errors).streams[0];
  ASSERT_TRUE(errors.empty()) << format_errors("c.yaml", errors);
  EXPECT_FALSE(without.gate);
  ASSERT_TRUE(with.gate);
  EXPECT_EQ(with.gate->valid, "good");
  EXPECT_EQ(with.gate->invalid, "bad");
  EXPECT_EQ(with.gate->severity, Severity::kCritical);
  EXPECT_EQ(with.gate->buffer, 65536U);
  EXPECT_EQ(with.hash, without.hash) << "open windows go on";
  EXPECT_NE(with.from_hash, without.from_hash) << "but a reload starts the stream anew";
  EXPECT_NE(errors_of(replaced(gated, "good", "in")).find("'in' is a topic that the stream reads"), std::string::npos);
  EXPECT_NE(errors_of(replaced(gated, "checks: in_range", "checks: in_rang")).find("did you mean 'in_range'?"), std::string::npos);
  EXPECT_NE(errors_of(replaced(gated, "topics: [in]", "topics: [in], options: {isolation.level: read_uncommitted}")).find("read_committed"),
            std::string::npos);
}

TEST(Config, EveryErrorHasItsPlaceAndASuggestion) {
  const std::vector<std::tuple<const char*, const char*, const char*>> cases = {
      {"check: in_range", "check: in_rang", "10:17: there is no check 'in_rang' (did you mean 'in_range'?)"},
      {"field: x", "field: y", "there is no field 'y'"},
      {"min: 0", "mim: 0", "unknown key 'mim' (did you mean 'min'?)"},
      {"min: 0", "min: zero", "'zero' is not a finite number"},
      {"x: number", "x: numbr", "did you mean 'number'?"},
      {"size: 10m", "size: 10", "is not a duration"},
      {"slide: 5m", "slide: 3m", "whole number"},
      {"by: [stream, site", "by: [stream, sit", "did you mean 'site'?"},
      {"file: {", "fil: {", "did you mean 'file'?"},
      {"sensor: id, time", "sensr: id, time", "did you mean 'sensor'?"},
      {"role: segment", "role: segment, type: number", "twice"},
      {"streams:", "stream:", "did you mean 'streams'?"},
      {"field: x, min: 0", "field: x", "give 'min'"},
      {"    checks:", "    model: {}\n    checks:", "'model' is not in this version"},
      {"by: [stream, site, sensor]", "by: [stream, sensor, stream]", "8:58: stream s: windows: by: 'stream' is there twice"},
      {"min: 0", "min: 0, by: [site, site]", "'site' is there twice"},
      {"field: x, min", "field: [x, x], min", "is there twice for the same field"},
      {"check: in_range", "check: drift", "not in this version"},
      {"check: in_range", "check: psi", "write check: distance, metric: psi"},
      {"check: in_range", "check: js", "write check: distance, metric: jensen_shannon"},
      {"check: in_range", "check: isnull", "did you mean 'not_null'?"},
      {"check: in_range, field: x, min: 0", "check: distance, field: x, metric: js, max: 1", "did you mean 'jensen_shannon'?"},
      {"check: in_range, field: x, min: 0", "check: expression, expression: 1 <= 2", "names no field"},
      {"min: 0", "min: 0, severity: crit", "did you mean 'critical'?"},
      {"x: number", "x: string", "did you mean 'text'?"},
      {"streams:", "service: {limits: {memory: 1GiB}}\nstreams:", "1:28: service: limits: there is no limit on memory as a whole"},
      {"streams:", "service: {listen: 0.0.0.0:1}\nstreams:", "1:19: service: listen: "},
      {"streams:", "service: {external_url: 'http://u:pw@h/'}\nstreams:", "1:25: service: external_url must be"},
      {"streams:", "service: {web_config: /nonexistent/web.yml}\nstreams:", "1:23: service: web_config: "},
      {"    checks:", "    reference: 'a b'\n    checks:", "9:16: stream s: reference: 'a b' names no reference"},
      {"    checks:", "    reference: '@production'\n    checks:", "names no reference"},
      {"    checks:", "    reference: pumps\n    checks:",
       "'pumps' names no reference (write NAME@ALIAS, NAME@TAG or NAME@VERSION, for example s@production"},
      {"    checks:", "    gate: {}\n    checks:", "'invalid' is missing"},
      {"    checks:", "    gate: {invalid: bad}\n    checks:", "gate works for `from: kafka` only"},
      {"fields:\n", "fields: [\n", "not valid YAML"},
  };
  for (const auto& [from, to, wanted] : cases) {
    const std::string said = errors_of(replaced(kGood, from, to));
    EXPECT_NE(said.find(wanted), std::string::npos) << to << " gave:\n" << said;
    EXPECT_EQ(said.rfind("c.yaml:", 0), 0U) << said;
  }
}

TEST(Config, TellsAllErrorsAtOnce) {
  const std::string said =
      errors_of(replaced(replaced(replaced(kGood, "min: 0", "mim: 0"), "size: 10m", "size: x"), "id, time", "id, tme"));
  EXPECT_GE(std::count(said.begin(), said.end(), '\n'), 3) << said;
}

TEST(Config, NothingIsSaidTwiceAndNoErrorHidesAnother) {
  const auto lines = [](const std::string& said) { return std::count(said.begin(), said.end(), '\n'); };
  EXPECT_EQ(lines(errors_of(replaced(kGood, "min: 0", "min: 0, mim: 0"))), 1) << "a check's keys are of one table";
  EXPECT_EQ(lines(errors_of(replaced(kGood, "decode: {", "decode: {sensr: x, "))), 1) << "and a decoder's";
  EXPECT_EQ(lines(errors_of(replaced(kGood, "decode: {", "decode: {format: jsn, "))), 1);
  const std::string failed =
      errors_of(replaced(std::string(kGood) + "      - {check: in_range, field: x, max: 1, maks: 1}\n", "min: 0", "min: z"));
  EXPECT_EQ(failed.find("twice"), std::string::npos) << failed;
  EXPECT_NE(failed.find("'maks'"), std::string::npos) << failed;
}

TEST(Config, SectionsThatAreNoMapsAreOneErrorEach) {
  for (const char* section : {"databases: [a]\n", "databases: 5\n", "service: [a]\n", "alerts: 5\n"}) {
    const std::string said = errors_of(section + std::string(kGood));
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << section << said;
    EXPECT_NE(said.find("must be a map"), std::string::npos) << said;
  }
  EXPECT_NE(
      errors_of("service: {store: stat}\ndatabases: {state: {database: d, user: u}}\n" + std::string(kGood)).find("no database 'stat'"),
      std::string::npos);
}

TEST(Config, AnEmptyDocumentHasAPlace) { EXPECT_EQ(errors_of("").rfind("c.yaml:1:1: ", 0), 0U) << errors_of(""); }

TEST(Config, ReferencesSayWhichVersion) {
  for (const char* good : {"pumps@production", "line-1.a@3", "a@2026-01-01"}) {
    EXPECT_EQ(errors_of(replaced(kGood, "    checks:", std::string("    reference: ") + good + "\n    checks:")), "") << good;
  }
}

TEST(Config, TheSameCheckTwiceNeedsAName) {
  const std::string twice = std::string(kGood) + "      - {check: in_range, field: x, max: 9}\n";
  EXPECT_NE(errors_of(twice).find("give one of them another name"), std::string::npos);
  EXPECT_EQ(errors_of(replaced(twice, "max: 9", "max: 9, name: upper")), "");
}

TEST(Config, ReplacesEnvironmentVariablesInScalarsOnly) {
  setenv("DRIFTD_TEST_VALUE", "5, max: 7", 1);
  EXPECT_NE(errors_of(replaced(kGood, "min: 0", "min: \"${DRIFTD_TEST_VALUE}\"")).find("is not a finite number"), std::string::npos)
      << "a value cannot add keys";
  EXPECT_EQ(errors_of(replaced(kGood, "min: 0", "min: \"${DRIFTD_TEST_UNSET:-3}\"")), "");
  EXPECT_NE(errors_of(replaced(kGood, "min: 0", "min: \"${DRIFTD_TEST_UNSET:?set the bound}\"")).find("set the bound"), std::string::npos);
}

TEST(Config, TheHashIsOfWhatChangesVerdictsOnly) {
  ErrorList errors;
  const auto hash = [&](const std::string& yaml) { return read_config(yaml, "", errors).streams[0].hash; };
  const std::string first = hash(kGood);
  EXPECT_EQ(hash(replaced(kGood, "a.jsonl", "b.jsonl")), first) << "where records come from";
  EXPECT_EQ(hash(std::string("# comment\n") + kGood), first);
  EXPECT_NE(hash(replaced(kGood, "min: 0", "min: 1")), first);
  EXPECT_TRUE(errors.empty());
}

TEST(Config, RejectsMayGoToATopic) {
  ErrorList errors;
  // Secret files are read for the service only.
  const auto read = [&](const std::string& yaml) { return read_config(yaml, "", errors, ReadFor::kData).streams.at(0); };
  const std::string kafka = replaced(kGood, "{file: {paths: [a.jsonl], format: json_lines}}",
                                     "{kafka: {brokers: [a:1], topics: [t], group: g, sasl_password_file: p, options: {debug: msg}}}");
  const auto with = [&](const std::string& quarantine) { return kafka + "    quarantine: " + quarantine + "\n"; };
  EXPECT_FALSE(read(kafka).quarantine_topic);
  const auto shared = read(with("{topic: bad, options: {acks: all}}")).quarantine_topic.value();
  EXPECT_EQ(shared.topic + shared.stream, "bads");
  EXPECT_EQ(shared.buffer, 16U << 20);
  EXPECT_EQ(shared.connection, (ingest::KafkaConnection{{"a:1"}, {{"debug", "msg"}, {"acks", "all"}}, "p"}));
  const auto own = read(with("{topic: t, brokers: [b:2], buffer: 64KiB}")).quarantine_topic.value();
  EXPECT_EQ(own.buffer, 65536U);
  EXPECT_EQ(own.connection, (ingest::KafkaConnection{{"b:2"}, {}, ""}));
  EXPECT_EQ(read(with("{topic: bad}")).hash, read(kafka).hash) << "where rejects go changes no verdict";
  EXPECT_NE(read(with("{topic: bad}")).from_hash, read(kafka).from_hash) << "and a reload takes it";
  EXPECT_TRUE(errors.empty());
  EXPECT_NE(errors_of(with("{topic: t}")).find("is a topic that the stream reads"), std::string::npos);
  EXPECT_NE(errors_of(with("{buffer: 1MiB}")).find("'buffer' needs a topic"), std::string::npos);
  EXPECT_NE(errors_of(with("{}")).find("asks for nothing"), std::string::npos);
  EXPECT_FALSE(read(kafka).quarantine_failed || read(with("{topic: bad}")).quarantine_failed ||
               read(with("{failed: false}")).quarantine_failed);
  const StreamConfig failed = read(with("{failed: true}"));
  EXPECT_TRUE(failed.quarantine_failed && !failed.quarantine_topic);
  EXPECT_EQ(failed.hash, read(kafka).hash);
  EXPECT_TRUE(read(with("{failed: true, topic: bad}")).quarantine_topic);
  EXPECT_NE(errors_of(with("{topic: bad, buffer: 1KiB}")).find("buffer"), std::string::npos);
  EXPECT_NE(errors_of(std::string(kGood) + "    quarantine: {topic: bad}\n").find("needs brokers"), std::string::npos);
}

TEST(Config, RefusesADocumentThatIsTooDeep) {
  std::string deep = "streams: ";
  for (int i = 0; i < 100; ++i) deep += "[";
  for (int i = 0; i < 100; ++i) deep += "]";
  EXPECT_NE(errors_of(deep).find("too large"), std::string::npos);
}

}  // namespace
}  // namespace driftd::app
