// What each section of the configuration accepts. Validation, `driftd schema` and docs come from here.
#include "app/config/config.h"
#include "ingest/kafka_client.h"

namespace driftd::app {

using T = ParamType;

const std::vector<ParamSpec>& service_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "listen", .sentence = "Address of metrics, API and page, host:port", .default_text = "127.0.0.1:9464"},
      {.name = "web_config", .sentence = "File in the exporter-toolkit's format: TLS, client certificates, basic auth"},
      {.name = "allow_public",
       .type = T::kBoolean,
       .sentence = "Listen on an address that others reach although there is no web_config",
       .default_text = "false"},
      {.name = "data_dir", .sentence = "Folder of checkpoints, references, journals and quarantine", .default_text = "/var/lib/driftd"},
      {.name = "external_url",
       .sentence = "Where people reach driftd's page, for links in alerts; http or https, without user and password"},
      {.name = "workers",
       .type = T::kInteger,
       .sentence = "Worker threads a stream; 0 is one a core",
       .default_text = "0",
       .min = 0,
       .max = 256},
      {.name = "store",
       .sentence =
           "Database of `databases:` that keeps checkpoints, for all driftd that share streams; without it they are in data_dir, for "
           "this one alone"},
      {.name = "store_lease",
       .type = T::kDuration,
       .sentence = "With store: how long a driftd that judges the windows of a stream and is not heard of is waited for",
       .default_text = "30s",
       .min = 5,
       .max = 3600},
      {.name = "checkpoint_every",
       .type = T::kDuration,
       .sentence = "Time between checkpoints",
       .default_text = "10s",
       .min = 0.1,
       .max = 3600},
      {.name = "shutdown_grace",
       .type = T::kDuration,
       .sentence = "Time that draining may take after SIGTERM",
       .default_text = "30s",
       .min = 1,
       .max = 3600},
      {.name = "log_level",
       .type = T::kChoice,
       .sentence = "Least severe log lines that are written",
       .default_text = "info",
       .choices = {"debug", "info", "warning", "error"}},
      {.name = "limits",
       .type = T::kNode,
       .sentence = "Caps; each is enforced, and exported as driftd_limit",
       .fields =
           {
               {.name = "series",
                .type = T::kInteger,
                .sentence = "Metric series made at most; those beyond share one a family, overflow",
                .default_text = "20000",
                .min = 100,
                .max = 10000000},
               {.name = "quarantine",
                .type = T::kSize,
                .sentence = "Bytes of quarantined records kept, a stream",
                .default_text = "256MiB",
                .min = 65536},
               {.name = "journal",
                .type = T::kSize,
                .sentence = "Bytes of MQTT and HTTP records not yet checkpointed, a stream",
                .default_text = "1GiB",
                .min = 1048576},
               {.name = "waiting",
                .type = T::kSize,
                .sentence =
                    "Bytes of closed windows that wait for other partitions, or for service.store, a stream; above it partitions that "
                    "are ahead are not read on",
                .default_text = "64MiB",
                .min = 65536},
               {.name = "http_requests",
                .type = T::kInteger,
                .sentence = "HTTP requests a second from one address; above it 429",
                .default_text = "1000",
                .min = 1,
                .max = 1000000},
               {.name = "sensors",
                .type = T::kInteger,
                .sentence = "Sensors a partition holds state for",
                .default_text = "1048576",
                .min = 1,
                .max = 100000000},
               {.name = "sensor_idle",
                .type = T::kDuration,
                .sentence = "Event time of silence after which a sensor gives way to a new one when there are as many as limits.sensors; "
                            "at least as long as windows reach",
                .default_text = "1h",
                .min = 1,
                .max = 31536000},
           }},
      {.name = "findings",
       .type = T::kNode,
       .sentence = "The findings log",
       .fields =
           {
               {.name = "log", .sentence = "File of findings as JSON lines; in data_dir unless absolute", .default_text = "findings.jsonl"},
               {.name = "all", .type = T::kBoolean, .sentence = "Log findings that are ok too", .default_text = "false"},
               {.name = "max_size",
                .type = T::kSize,
                .sentence = "Size at which the log is rotated",
                .default_text = "256MiB",
                .min = 4096},
           }},
  };
  return specs;
}

const std::vector<ParamSpec>& database_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "type",
       .type = T::kChoice,
       .sentence = "Kind of database; mysql stands for MySQL and MariaDB",
       .default_text = "mysql",
       .choices = {"mysql"}},
      {.name = "host", .sentence = "Host name or address", .default_text = "127.0.0.1"},
      {.name = "port", .type = T::kInteger, .sentence = "TCP port", .default_text = "3306", .min = 1, .max = 65535},
      {.name = "database", .sentence = "Database to use", .required = true},
      {.name = "user", .sentence = "User", .required = true},
      {.name = "password_file", .sentence = "File whose first line is the password, or credential:NAME"},
      {.name = "tls", .type = T::kBoolean, .sentence = "Encrypt the connection and verify the server", .default_text = "false"},
      {.name = "ca_file", .sentence = "PEM file of the authorities to trust instead of the system's; needs tls"},
      {.name = "timeout",
       .type = T::kDuration,
       .sentence = "How long a query may go without an answer or a row before the server counts as frozen",
       .default_text = "10m",
       .min = 1,
       .max = 86400},
  };
  return specs;
}

const std::vector<ParamSpec>& reference_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "store",
       .type = T::kChoice,
       .sentence = "Kind of store; sqlite is references.db in service.data_dir",
       .default_text = "sqlite",
       .choices = {"sqlite"}},
  };
  return specs;
}

namespace {

std::vector<ParamSpec> quarantine_params() {
  std::vector<ParamSpec> specs = {
      {.name = "failed",
       .type = T::kBoolean,
       .sentence = "Keep records that fail a row-level check too, though they are accepted: on disk, and in the topic if there is one. Of "
                   "which severity and which checks is what the stream's gate says; without one, all of warning or higher",
       .default_text = "false"},
      {.name = "topic",
       .sentence = "Topic of quarantined records, with headers that say why and from where; absent: they are on disk only"},
      {.name = "buffer",
       .type = T::kSize,
       .sentence = "Bytes that may wait for the brokers; more is dropped and counted",
       .default_text = "16MiB",
       .min = 65536,
       .max = 2147483648},
  };
  for (ParamSpec spec : ingest::kafka_connection_params()) {
    if (spec.name == "brokers") {
      spec.required = false;
      spec.sentence += "; absent: those of the stream's Kafka source, with its options and password";
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace

const std::vector<ParamSpec>& stream_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "from", .type = T::kNode, .sentence = "Where records come from: one source with its parameters", .required = true},
      {.name = "decode", .type = T::kNode, .sentence = "How records become rows", .required = true},
      {.name = "fields", .type = T::kNode, .sentence = "The fields of a record, by name", .required = true},
      {.name = "windows", .type = T::kNode, .sentence = "Windows of event time"},
      {.name = "checks", .type = T::kNode, .sentence = "Checks, in any order"},
      {.name = "reference", .sentence = "Reference to compare with: NAME@ALIAS, NAME@TAG or NAME@VERSION"},
      {.name = "quarantine",
       .type = T::kNode,
       .sentence = "Rejected records are kept on disk; what else is, and a Kafka topic for them",
       .fields = quarantine_params()},
      {.name = "gate",
       .type = T::kNode,
       .sentence = "Forward each record of a Kafka stream with its verdict, exactly once",
       .fields =
           {
               {.name = "valid", .sentence = "Topic of records that pass; absent: they are not forwarded"},
               {.name = "invalid", .sentence = "Topic of records that fail a check, and of rejects", .required = true},
               {.name = "severity",
                .type = T::kChoice,
                .sentence = "Row-level checks of this severity or a higher one make a record invalid",
                .default_text = "warning",
                .choices = {"info", "warning", "critical"}},
               {.name = "checks", .type = T::kTextList, .sentence = "Names of the checks that may make a record invalid; absent: all"},
               {.name = "commit_every",
                .type = T::kDuration,
                .sentence = "How long a transaction stays open, and so readers of committed records wait",
                .default_text = "100ms",
                .min = 0.001,
                .max = 10},
               {.name = "buffer",
                .type = T::kSize,
                .sentence = "Bytes of records that may wait for the output topics before the source is paused",
                .default_text = "64MiB",
                .min = 65536},
               {.name = "transactional_id",
                .sentence = "transactional.id of the producer, one a replica; absent: made once and kept in data_dir"},
           }},
  };
  return specs;
}

const std::vector<ParamSpec>& decode_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "format", .type = T::kText, .sentence = "Decoder", .default_text = "json"},
      {.name = "sensor",
       .sentence =
           "Field that names the sensor: a name, a JSON pointer, @key, @topic or @topic/2 for its second level; absent: one sensor"},
      {.name = "time",
       .type = T::kNode,
       .sentence = "Event time: a field's name, or {field, unit}; @arrival takes the source's time",
       .required = true},
      {.name = "max_future", .type = T::kDuration, .sentence = "How far the event time may be after the arrival", .default_text = "60s"},
      {.name = "max_record",
       .type = T::kSize,
       .sentence = "Larger records are rejects",
       .default_text = "1MiB",
       .min = 16,
       .max = 67108864},
      {.name = "max_depth", .type = T::kInteger, .sentence = "JSON nested deeper is a reject", .default_text = "64", .min = 1, .max = 1024},
  };
  return specs;
}

const std::vector<ParamSpec>& field_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "type",
       .type = T::kChoice,
       .sentence = "Kind of value",
       .required = true,
       .choices = {"number", "integer", "flag", "category", "text"}},
      {.name = "unit", .sentence = "Unit, for people"},
      {.name = "role",
       .type = T::kChoice,
       .sentence = "What the field is for: a segment (a category) may stand in windows.by; id, prediction and label only describe it, and "
                   "it is judged like a feature: model performance, which will use them, is not in this version",
       .default_text = "feature",
       .choices = {"feature", "segment", "prediction", "label", "id"}},
      {.name = "path",
       .sentence = "Where it stands in a record, when not under its own name: a JSON pointer, a column, or @topic/2 for the second level "
                   "of the topic"},
      {.name = "numbers_in_text", .type = T::kBoolean, .sentence = "Take \"21.5\" for the number 21.5", .default_text = "false"},
  };
  return specs;
}

const std::vector<ParamSpec>& window_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "size", .type = T::kDuration, .sentence = "Length of a window", .default_text = "5m", .min = 0.001, .max = 31 * 86400.0},
      {.name = "slide",
       .type = T::kDuration,
       .sentence = "Time between the starts of windows; absent: tumbling; size must be a whole number of slides",
       .min = 0.001,
       .max = 31 * 86400.0},
      {.name = "lateness",
       .type = T::kDuration,
       .sentence = "How long a window waits for records that come out of order",
       .default_text = "30s",
       .max = 7 * 86400.0},
      {.name = "idle",
       .type = T::kDuration,
       .sentence = "Wall-clock time after which a silent partition is not waited for",
       .default_text = "60s",
       .min = 0.1,
       .max = 7 * 86400.0},
      {.name = "by", .type = T::kTextList, .sentence = "Segments: stream, a field of role segment, sensor"},
  };
  return specs;
}

}  // namespace driftd::app
