// The commands of the command line, one function each. They print to standard output, complain on
// standard error and return the exit status of DESIGN 6: 0 fine, 1 the verdict asked for, 2 usage or
// configuration, 3 run-time failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace driftd::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitVerdict = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitFailure = 3;

// Where replay and reference building read from. Exactly one of the three is given.
struct InputOptions {
  std::vector<std::string> files;  // "-" is standard input
  std::string query;
  std::string database;  // of `databases:`; needed with a query when there are several
  std::string kafka_topic;
  std::string from, to;  // RFC 3339, or empty: everything
  std::string sensor;    // field with the sensor, instead of decode.sensor
};

struct ReplayOptions {
  std::string config;
  std::string stream;  // needed when the configuration has several
  InputOptions input;
  std::string reference;  // NAME@V or NAME@TAG; empty: as the stream says
  std::string findings;   // file of JSON lines; "-" standard output
  bool all = false;
  std::string alerts;   // file of JSON lines
  std::string fail_on;  // "", warn, fail, alert
};

struct ReferenceBuildOptions {
  std::string config;
  std::string stream;
  InputOptions input;
  std::string name;  // default: the stream's reference name, else the stream's name
  std::vector<std::string> tags;
  std::string alias;
  std::vector<std::string> notes;  // key=value
};

struct QuarantineOptions {
  std::string config;
  std::string stream;  // needed when the configuration has several; list: empty is all
  std::string reason;  // only records with it; empty: any
  std::optional<std::uint32_t> partition;
  std::size_t limit = 20;  // show: the newest so many
  std::string to;          // replay: URL of a driftd, or kafka:TOPIC; empty: report only
  bool failed = false;     // replay: records that failed a check too, though they were accepted
  bool again = false;      // replay: send also what was sent there before
};

struct StoreOptions {
  std::string config;    // one of these two
  std::string data_dir;  // then states are not loaded: that needs the configuration
  bool json = false;     // inspect
};

struct DemoOptions {
  std::string duration;
  std::string listen;
  double speed = 0;  // 0: as the duration needs
};

int run_command(const std::string& config);
int check_command(const std::string& config);
int prometheus_rules_command(const std::string& config);
int replay_command(const ReplayOptions& options);
int reference_build_command(const ReferenceBuildOptions& options);
int reference_list_command(const std::string& config);
int reference_show_command(const std::string& config, const std::string& which);
int reference_diff_command(const std::string& config, const std::string& a, const std::string& b);
int reference_promote_command(const std::string& config, const std::string& which, const std::string& alias, const std::string& at);
int reference_rollback_command(const std::string& config, const std::string& name, const std::string& alias);
int reference_export_command(const std::string& config, const std::string& which, const std::string& file);
int reference_import_command(const std::string& config, const std::string& file);
int list_command(const std::string& kind);
int describe_command(const std::string& unit);
int schema_command();
int version_command();
int demo_command(const DemoOptions& options);
int outbox_command(const std::string& config, const std::string& action, const std::string& id);
// action: list, show or replay.
int quarantine_command(const std::string& action, const QuarantineOptions& options);
// action: verify (exit status 0: all is whole, 1: damaged, but a checkpoint is whole, 3: none is) or inspect.
int store_command(const std::string& action, const StoreOptions& options);

// Prints "driftd: MESSAGE" on standard error and returns the status for it.
int fail(const Error& error);
// "user@host", for what says who did it.
std::string who();

}  // namespace driftd::app
