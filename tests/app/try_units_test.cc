// What only a source's or decoder's factory can see is an error of reading the configuration, with its
// place, all at once, and nothing is made or connected to meanwhile.
#include "app/config/try_units.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/config/config.h"
#include "tests/pem_files.h"

namespace driftd::app {
namespace {

constexpr const char* kWrong = R"(databases:
  plant: {database: plant, user: driftd, password_file: /nonexistent/db}
streams:
  a:
    from: {mqtt: {url: "http://b", topics: ["a/#/b", ok, ok, "x+"], client_id: c}}
    decode: {time: ts}
    fields: {x: number}
    reference: nonsense with spaces
  b:
    from:
      kafka:
        brokers: [localhost:9092, "u:s3cret@b:9092"]
        topics: [^t, t]
        options: {no.such.option: 1, client.id: fine, session.timeout.ms: soon}
        sasl_password_file: /nonexistent/kafka
    decode: {time: ts, sensor: /a~2}
    fields:
      x: {type: number, path: /b~3}
      y: {type: number, path: "@topic/1"}
    reference: a@b@c
  c:
    from: {file: {paths: [], format: csv}}
    decode: {format: csv, time: ts, separator: ";;", header: false}
    fields: {x: number}
  d:
    from: {file: {paths: [a.csv], format: csv, separator: "||"}}
    decode: {format: csv, time: ts, header: false, quote: ""}
    fields: {x: number}
  e:
    from:
      generator:
        start: today
        faults:
          - {kind: rust, from: 1m, to: 2m}
          - {kind: stuck, from: 2m, to: 1m}
    decode: {time: ts}
    fields: {x: number}
alerts:
  routes: [{to: []}]
)";

constexpr const char* kBlocks = R"(streams:
  a:
    from:
      mqtt:
        client_id: c
        url: http://b
        topics:
          - ok
          - a/#/b
          - x+
    decode:
      format: csv
      header: false
      columns: [t, x, y]
      separator: ";;"
      quote: "''"
      time:
        field: t
    fields:
      x: number
      y: category
    checks:
      - check: matches
        name: m
        field: y
        regex: "a("
      - check: expression
        name: e
        expression: x <
      - check: in_range
        field: x
        min: 5
        max: 3
        mux: 1
      - check: in_set
        field: x
        values:
          - b
          - 1
          - d
      - check: distance
        field: y
        metric: ks
        max: 1
      - check: mean
        field: x
        name: m
        min: 3
        max: 2
  b:
    from:
      http: {}
    decode:
      sensor: /s
      time:
        field: /t~2
    fields:
      x:
        type: number
        path: /x~3
alerts:
  notifiers:
    told:
      type: log
    hook:
      type: webhook
      url: nowhere
    oncall:
      type: alertmanager
      urls:
        - ftp://y
        - gopher://z
        - http://h
)";

TEST(TryUnits, EveryErrorOfAFactoryHasItsPlace) {
  const std::vector<std::string> wanted = {
      "2:57: database plant: password_file: ",
      "5:24: stream a: from: mqtt: 'url' must start with",
      "5:45: stream a: from: mqtt: topic 'a/#/b'",
      "5:58: stream a: from: mqtt: topic 'ok' is named twice",
      "5:62: stream a: from: mqtt: topic 'x+'",
      "8:16: stream a: reference: 'nonsense with spaces'",
      "12:35: stream b: from: kafka: a broker takes no user or password",
      "13:18: stream b: from: kafka: 'topics' takes names, no patterns: '^t'",
      "14:35: stream b: from: kafka: kafka: option 'no.such.option'",
      "14:75: stream b: from: kafka: kafka: option 'session.timeout.ms'",
      "15:29: stream b: from: kafka: sasl_password_file: ",
      "16:32: stream b: decode: json: path '/a~2'",
      "18:31: stream b: decode: json: path '/b~3'",
      "19:31: stream b: decode: json: field 'y'",
      "20:16: stream b: reference: 'a@b@c'",
      "22:26: stream c: from: file: paths must name at least one",
      "23:48: stream c: decode: csv: 'separator'",
      "23:13: stream c: decode: csv: without a header, 'columns'",
      "26:59: stream d: from: file: separator differs from decode's",
      "27:59: stream d: decode: csv: 'quote'",
      "27:13: stream d: decode: csv: without a header, 'columns'",
      "32:16: stream e: from: generator: 'start'",
      "34:20: stream e: from: generator: fault: kind: 'rust'",
      "35:41: stream e: from: generator: fault: 'to' must be later",
      "39:17: route: to must name at least one",
  };
  ErrorList errors;
  read_config(kWrong, "", errors);
  const std::string said = format_errors("c", errors);
  for (const std::string& line : wanted) EXPECT_NE(said.find("c:" + line), std::string::npos) << line << " is not in\n" << said;
  EXPECT_EQ(errors.errors().size(), wanted.size()) << "nothing is said twice:\n" << said;
  EXPECT_EQ(said.find("s3cret"), std::string::npos) << said;
}

// In block style nothing that is wrong stands where its unit begins.
TEST(TryUnits, InBlockStyleEveryErrorStandsAtWhatIsWrong) {
  const std::vector<std::string> wanted = {
      "6:14: stream a: from: mqtt: 'url' must start with",
      "9:13: stream a: from: mqtt: topic 'a/#/b'",
      "10:13: stream a: from: mqtt: topic 'x+'",
      "15:18: stream a: decode: csv: 'separator'",
      "16:14: stream a: decode: csv: 'quote'",
      "26:16: stream a: check matches: 'regex'",
      "29:21: stream a: check expression: 'expression', column ",
      "32:14: stream a: check in_range: 'min' is above 'max'",
      "34:14: stream a: check in_range: unknown key 'mux'",
      "38:13: stream a: check in_set: 'values': 'b' is no number",
      "40:13: stream a: check in_set: 'values': 'd' is no number",
      "43:17: stream a: check distance: 'metric' ks needs numbers",
      "48:14: stream a: check mean: 'min' 3 is above 'max' 2",
      "56:16: stream b: decode: json: path '/t~2'",
      "60:15: stream b: decode: json: path '/x~3'",
      "67:12: notifier hook: url must be",
      "71:11: notifier oncall: url must be",
      "72:11: notifier oncall: url must be",
  };
  ErrorList errors;
  read_config(kBlocks, "", errors);
  const std::string said = format_errors("c", errors);
  for (const std::string& line : wanted) EXPECT_NE(said.find("c:" + line), std::string::npos) << line << " is not in\n" << said;
  EXPECT_EQ(errors.errors().size(), wanted.size()) << "nothing is said twice:\n" << said;
}

// A message that the journal never takes would be sent again without end.
TEST(TryUnits, AJournalWithoutRoomForTheLargestMessageIsRefused) {
  const auto said = [](const std::string& journal, const std::string& max_record) {
    ErrorList errors;
    read_config("service: {limits: {journal: " + journal +
                    "}}\nstreams:\n  a:\n    from: {mqtt: {url: \"mqtt://b\", topics: [t], client_id: c" + max_record +
                    "}}\n    decode: {time: ts}\n    fields: {x: number}\n",
                "", errors);
    return errors.empty() ? "" : format_errors("c", errors);
  };
  EXPECT_EQ(said("2MiB", ""), "");
  const std::string small = said("1MiB", "");
  EXPECT_NE(small.find("c:4:18: stream a: from: mqtt: a journal of 1048576 bytes has no room"), std::string::npos) << small;
  EXPECT_NE(small.find("raise service.limits.journal to 1238014 at least"), std::string::npos) << small;
  EXPECT_NE(said("2MiB", ", max_record: 4MiB").find("c:4:"), std::string::npos);
}

TEST(TryUnits, RecordedDataNeedsNoSecretAndNoSource) {
  const std::string yaml = R"(databases:
  plant: {database: plant, user: driftd, password_file: /nonexistent/db}
streams:
  b:
    from: {kafka: {brokers: [b], topics: [t], sasl_password_file: /nonexistent/kafka}}
    decode: {time: ts}
    fields: {x: number}
)";
  ErrorList service, data;
  read_config(yaml, "", service, ReadFor::kService);
  read_config(yaml, "", data, ReadFor::kData);
  EXPECT_EQ(service.errors().size(), 2U) << format_errors("c", service);
  EXPECT_TRUE(data.empty()) << format_errors("c", data);
}

TEST(TryUnits, FilesOfNotifiersAreReadForTheService) {
  const std::string folder = testing::TempDir() + "/try_units_files" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/good") << "a signing secret of 32 bytes....";
  std::ofstream(folder + "/short") << "short";
  std::ofstream(folder + "/empty");
  const std::string yaml = R"(streams:
  s:
    from: {http: {}}
    decode: {time: ts}
    fields: {x: number}
alerts:
  notifiers:
    hook:
      type: webhook
      url: ftp://h
      secret_file:
        - )" + folder + R"(/good
        - )" + folder + R"(/short
        - /nonexistent/secret
      ca_file: )" + folder +
                           R"(/empty
    oncall: {type: alertmanager, urls: ["http://h"], ca_file: )" +
                           folder + R"(/short}
)";
  ErrorList service, data;
  read_config(yaml, "", service, ReadFor::kService);
  read_config(yaml, "", data, ReadFor::kData);
  const std::string said = format_errors("c", service);
  for (const char* line : {"10:12: notifier hook: url must be", "13:11: notifier hook: secret_file: ",
                           "14:11: notifier hook: secret_file: ", "15:16: notifier hook: ca_file: ", "16:63: notifier oncall: ca_file: "})
    EXPECT_NE(said.find(line), std::string::npos) << line << " is not in\n" << said;
  EXPECT_EQ(service.errors().size(), 5U) << said;
  EXPECT_EQ(data.errors().size(), 1U) << format_errors("c", data);
}

TEST(TryUnits, ACertificateAndItsKeyAreLookedAtForTheService) {
  const std::string folder = testing::TempDir() + "/try_units_keys" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  const Key key = make_key();
  write_certificate(folder + "/cert", key);
  write_key(folder + "/key", key);
  write_key(folder + "/other", make_key());
  const auto said = [&](const std::string& cert, const std::string& key_file) {
    ErrorList service, data;
    const std::string yaml =
        "streams:\n  s:\n    from:\n      mqtt:\n        url: mqtts://b\n        topics: [t]\n        client_id: c\n        tls:\n"
        "          cert_file: " +
        folder + cert + "\n          key_file: " + folder + key_file + "\n    decode: {time: ts}\n    fields: {x: number}\n";
    read_config(yaml, "", service, ReadFor::kService);
    read_config(yaml, "", data, ReadFor::kData);
    EXPECT_TRUE(data.empty()) << format_errors("c", data);
    return service.empty() ? "" : format_errors("c", service);
  };
  EXPECT_EQ(said("/cert", "/key"), "");
  const std::string other = said("/cert", "/other");
  EXPECT_NE(other.find("c:10:21: stream s: from: mqtt: key_file: the key in '" + folder + "/other' does not belong"), std::string::npos)
      << other;
  const std::string swapped = said("/key", "/cert");
  for (const char* line : {"c:9:22: stream s: from: mqtt: cert_file: '", "c:10:21: stream s: from: mqtt: key_file: '"})
    EXPECT_NE(swapped.find(line), std::string::npos) << line << " is not in\n" << swapped;
}

// What a topic of rejects adds to the options of the stream is looked at with them.
TEST(TryUnits, FilesOfKafkaAreLookedAtWhereTheyAreNamed) {
  const std::string folder = testing::TempDir() + "/try_units_kafka" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  const Key key = make_key();
  write_certificate(folder + "/cert", key);
  write_key(folder + "/key", key);
  write_key(folder + "/other", make_key());
  const std::string cert = "ssl.certificate.location: " + folder + "/cert", fits = "ssl.key.location: " + folder + "/key",
                    other = "ssl.key.location: " + folder + "/other";
  const auto said = [](const std::string& options, const std::string& quarantine) {
    ErrorList errors;
    read_config("streams:\n  s:\n    from:\n      kafka:\n        brokers: [a:1]\n        topics: [t]\n        options: {" + options +
                    "}\n    quarantine: {" + quarantine + "}\n    decode: {time: ts}\n    fields: {x: number}\n",
                "", errors);
    return errors.empty() ? "" : format_errors("c", errors);
  };
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  const auto begins = [](const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; };
  EXPECT_EQ(said(cert + ", " + fits, "topic: bad"), "");
  const std::string wrong = said(cert + ", " + other, "topic: bad");
  EXPECT_TRUE(begins(wrong, "c:7:") && lines(wrong) == 1) << wrong;
  EXPECT_NE(wrong.find(": stream s: from: kafka: kafka: option 'ssl.key.location': the key in '" + folder + "/other'"), std::string::npos)
      << wrong;
  const std::string added = said(cert + ", " + fits, "topic: bad, options: {" + other + "}");
  EXPECT_TRUE(begins(added, "c:8:") && lines(added) == 1) << added;
  EXPECT_NE(added.find(": stream s: quarantine: kafka: option 'ssl.key.location': the key in '" + folder + "/other'"), std::string::npos)
      << added;
  EXPECT_EQ(said("", "topic: bad, options: {" + cert + ", " + fits + "}"), "");
  const std::string alone = said(cert + ", " + fits, "topic: bad, brokers: [b:1], options: {" + fits + "}");
  EXPECT_NE(alone.find("needs ssl.certificate.location"), std::string::npos) << "other brokers get nothing of the stream's: " << alone;
}

TEST(TryUnits, MakesAndNeedsNoFile) {
  const std::string folder = testing::TempDir() + "/try_units" + std::to_string(getpid());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  const std::string yaml = "service: {data_dir: " + folder + R"(/data}
streams:
  m:
    from: {mqtt: {url: "mqtt://127.0.0.1:1", topics: [a], client_id: c}}
    decode: {time: ts}
    fields: {x: number}
  f:
    from: {file: {paths: [)" +
                           folder + R"(/later.jsonl]}}
    decode: {time: ts}
    fields: {x: number}
  h:
    from: {http: {}}
    decode: {time: ts}
    fields: {x: number}
)";
  ErrorList errors;
  read_config(yaml, folder, errors);
  EXPECT_TRUE(errors.empty()) << format_errors("c", errors);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

}  // namespace
}  // namespace driftd::app
