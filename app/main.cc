// driftd: the command line. What each command does is in app/commands/.
#include <CLI/CLI.hpp>

#include <csignal>

#include "app/commands/commands.h"
#include "core/text.h"

namespace {

using namespace driftd::app;  // NOLINT: the program's own entry

void add_input(CLI::App& command, InputOptions& input) {
  auto* files =
      command.add_option("--input", input.files,
                         "Files to read, all of one format: .csv (with a header line) or JSON lines (.jsonl, .ndjson, .json); others, "
                         "and - for standard input, are read as the stream's decoder reads");
  auto* query = command.add_option("--query", input.query, "SQL query on a database of the configuration");
  auto* kafka = command.add_option("--kafka", input.kafka_topic, "Topic to read with the stream's brokers");
  command.add_option("--database", input.database, "Database for --query")->needs(query);
  command.add_option("--from", input.from, "First time (RFC 3339), for --kafka")->needs(kafka);
  command.add_option("--to", input.to, "Time to stop before (RFC 3339), for --kafka")->needs(kafka);
  command.add_option("--sensor", input.sensor,
                     "Field that names the sensor, where the stream takes it from the topic or the key, which files and queries have not");
  files->excludes(query)->excludes(kafka);
  query->excludes(kafka);
}

// The command that was meant by a word that is none; empty when every word that names a command does.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  const CLI::App* at = &app;
  std::string path = "driftd";
  for (int i = 1; i < argc && *argv[i] != '-'; ++i) {
    const auto commands = at->get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty()) break;
    std::vector<std::string> names;
    const CLI::App* next = nullptr;
    for (const CLI::App* command : commands) {
      names.push_back(command->get_name());
      if (command->get_name() == argv[i]) next = command;
    }
    if (next == nullptr) {
      const auto near = driftd::nearest(argv[i], names);
      return path + " has no command '" + driftd::excerpt(argv[i], 60) + "'; " +
             (near ? "did you mean '" + path + " " + *near + "'?" : "there are: " + driftd::join(names));
    }
    at = next;
    path += " " + next->get_name();
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {  // NOLINT(bugprone-exception-escape): CLI11 throws on our own mistakes below
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"driftd watches sensor streams: data checks, drift, alerts", "driftd"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all commands");
  int status = kExitOk;
  std::string config, a, b, c;

  auto* run = app.add_subcommand("run", "Run the service; SIGTERM drains and checkpoints, SIGHUP reloads");
  run->add_option("CONFIG", config, "Configuration file")->required();
  run->callback([&] { status = run_command(config); });

  auto* check = app.add_subcommand("check", "Validate a configuration; every error at once");
  check->add_option("CONFIG", config, "Configuration file")->required();
  check->callback([&] { status = check_command(config); });

  auto* rules = app.add_subcommand("rules", "Rules for other systems, made from a configuration");
  rules->require_subcommand(1);
  auto* prometheus = rules->add_subcommand("prometheus", "A Prometheus rule file: streams, and an alert for each check");
  prometheus->add_option("CONFIG", config, "Configuration file")->required();
  prometheus->callback([&] { status = prometheus_rules_command(config); });

  ReplayOptions replay_options;
  auto* replay = app.add_subcommand("replay", "Judge recorded data with the same engine; no side effects");
  replay->add_option("CONFIG", replay_options.config, "Configuration file")->required();
  replay->add_option("--stream", replay_options.stream, "Stream, when there are several");
  add_input(*replay, replay_options.input);
  replay->add_option("--reference", replay_options.reference, "Another reference: NAME@VERSION or NAME@TAG");
  replay->add_option("--findings", replay_options.findings, "Write findings as JSON lines; - is standard output");
  replay->add_flag("--all", replay_options.all, "Also findings that are ok");
  replay->add_option("--alerts", replay_options.alerts, "Write alerts as JSON lines");
  replay->add_option("--fail-on", replay_options.fail_on, "Exit with 1 when there is a warn, fail or alert")
      ->check(CLI::IsMember({"warn", "fail", "alert"}));
  replay->callback([&] { status = replay_command(replay_options); });

  auto* reference = app.add_subcommand("reference", "Versioned references");
  reference->require_subcommand(1);
  ReferenceBuildOptions build_options;
  auto* build = reference->add_subcommand("build", "Build a reference");
  build->add_option("CONFIG", build_options.config, "Configuration file")->required();
  build->add_option("--stream", build_options.stream, "Stream, when there are several");
  add_input(*build, build_options.input);
  build->add_option("--name", build_options.name, "Name; default: what the stream's `reference` says");
  build->add_option("--tag", build_options.tags, "Tag, as often as wanted; it stays on this version");
  build->add_option("--alias", build_options.alias, "Promote it to this alias at once");
  build->add_option("--note", build_options.notes, "key=value kept with it: git commit, model version");
  build->callback([&] { status = reference_build_command(build_options); });
  const auto reference_command = [&](const char* name, const char* help) {
    auto* command = reference->add_subcommand(name, help);
    command->add_option("CONFIG", config, "Configuration file")->required();
    return command;
  };
  auto* list_refs = reference_command("list", "All references with versions, tags and aliases");
  list_refs->callback([&] { status = reference_list_command(config); });
  auto* show = reference_command("show", "One reference");
  show->add_option("WHICH", a, "NAME@VERSION, NAME@TAG or NAME@ALIAS")->required();
  show->callback([&] { status = reference_show_command(config, a); });
  auto* diff = reference_command("diff", "What differs between two references");
  diff->add_option("A", a, "NAME@...")->required();
  diff->add_option("B", b, "NAME@...")->required();
  diff->callback([&] { status = reference_diff_command(config, a, b); });
  auto* promote = reference_command("promote", "Give an alias to a version");
  promote->add_option("WHICH", a, "NAME@VERSION or NAME@TAG")->required();
  promote->add_option("--alias", b, "Alias")->default_val("production");
  promote->add_option("--at", c, "Event time from which it holds (RFC 3339); default: the next window that no record is in yet");
  promote->callback([&] { status = reference_promote_command(config, a, b, c); });
  auto* rollback = reference_command(
      "rollback", "Give an alias back to the version that it had before; done twice, it goes forward again, as that is recorded too");
  rollback->add_option("NAME", a, "Reference")->required();
  rollback->add_option("--alias", b, "Alias")->default_val("production");
  rollback->callback([&] { status = reference_rollback_command(config, a, b); });
  auto* exported = reference_command("export", "Write a reference to a file");
  exported->add_option("WHICH", a, "NAME@...")->required();
  exported->add_option("FILE", b, "File to write")->required();
  exported->callback([&] { status = reference_export_command(config, a, b); });
  auto* imported = reference_command("import", "Take a reference from a file");
  imported->add_option("FILE", a, "File to read")->required();
  imported->callback([&] { status = reference_import_command(config, a); });

  auto* list = app.add_subcommand("list", "The units: sources, decoders, checks, distances, detectors, notifiers");
  list->add_option("KIND", a, "Only this kind");
  list->callback([&] { status = list_command(a); });
  auto* describe = app.add_subcommand("describe", "What a unit does, its parameters and reasons");
  describe->add_option("UNIT", a, "A unit, `units` for all of them, `metrics`, or `configuration`")->required();
  describe->callback([&] { status = describe_command(a); });
  app.add_subcommand("schema", "JSON Schema of the configuration")->callback([&] { status = schema_command(); });
  app.add_subcommand("version", "Version and build")->callback([&] { status = version_command(); });

  DemoOptions demo_options;
  auto* demo = app.add_subcommand("demo", "A simulated plant with planted faults, and what catches them");
  demo->add_option("--duration", demo_options.duration, "End after this time with a summary; default: go on until Ctrl-C");
  demo->add_option("--listen", demo_options.listen, "Address of metrics and page")->default_val("127.0.0.1:9464");
  demo->add_option("--speed", demo_options.speed, "Plant seconds a second; default: as --duration needs")->check(CLI::Range(1.0, 100000.0));
  demo->callback([&] { status = demo_command(demo_options); });

  auto* outbox = app.add_subcommand("outbox", "Messages to notifiers");
  outbox->add_option("ACTION", a, "list, replay or drop")->required()->check(CLI::IsMember({"list", "replay", "drop"}));
  outbox->add_option("CONFIG", config, "Configuration file")->required();
  outbox->add_option("ID", b, "Message, for replay and drop");
  outbox->callback([&] { status = outbox_command(config, a, b); });
  QuarantineOptions quarantine_options;
  auto* quarantine = app.add_subcommand("quarantine", "Rejected records, and those that failed a check where quarantine.failed is set");
  quarantine->require_subcommand(1);
  const auto quarantine_action = [&](const char* name, const char* help) {
    auto* command = quarantine->add_subcommand(name, help);
    command->add_option("CONFIG", quarantine_options.config, "Configuration file")->required();
    command->add_option("--stream", quarantine_options.stream, "Stream, when there are several");
    command->callback([&, name] { status = quarantine_command(name, quarantine_options); });
    return command;
  };
  quarantine_action("list", "How many there are, of which streams, when and why");
  for (auto* command : {quarantine_action("show", "The newest of them, with their payloads"),
                        quarantine_action("replay", "Decode them again with this configuration and say what would be accepted")}) {
    command->add_option("--reason", quarantine_options.reason, "Only those of this reason; `failed`: those that failed a check");
    command->add_option("--partition", quarantine_options.partition, "Only those of this partition");
    if (command->get_name() == "show")
      command->add_option("--limit", quarantine_options.limit, "At most so many")->check(CLI::Range(1, 100000))->capture_default_str();
    if (command->get_name() == "replay") {
      auto* to = command->add_option("--to", quarantine_options.to,
                                     "Send what would be accepted: URL of a running driftd, or kafka:TOPIC. What arrived is noted beside "
                                     "the records and not sent there again; one batch (1000 records) may be, when this is killed or the "
                                     "answer is lost");
      command->add_flag("--failed", quarantine_options.failed,
                        "Also those that failed a check; they were accepted, so where they are sent to they may be counted twice");
      command->add_flag("--again", quarantine_options.again, "Send also what was sent there before")->needs(to);
    }
  }
  StoreOptions store_options;
  auto* store = app.add_subcommand("store", "The checkpoint store; also while driftd runs, and on copies");
  store->require_subcommand(1);
  for (const char* action : {"verify", "inspect"}) {
    const bool verify = std::string_view(action) == "verify";
    auto* command = store->add_subcommand(
        action, verify ? "Check every part of the stored checkpoints; exit with 0: whole, 1: damaged, but one is whole, 3: none is"
                       : "What the stored checkpoints have: positions, times, sizes");
    auto* file = command->add_option("CONFIG,--config", store_options.config, "Configuration file");
    command->add_option("--data-dir", store_options.data_dir, "Instead: the folder with state.db; states are not loaded then")
        ->excludes(file);
    if (!verify) command->add_flag("--json", store_options.json, "As one JSON object");
    command->callback([&, action] { status = store_command(action, store_options); });
  }

  if (const std::string unknown = unknown_command(app, argc, argv); !unknown.empty()) {
    return fail({driftd::ErrorCode::kInvalidArgument, unknown});
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  return status;
}
