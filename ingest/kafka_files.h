// The files of certificates and keys that options of librdkafka name. What it says itself comes only when a client is made, and names
// options but no file. Thread-safe. Cost: the files are read.
#pragma once

#include "ingest/kafka_client.h"

namespace driftd::ingest {

// (option, what is wrong with its file) for each that cannot be used, as `options` would when TLS is on; the last of a name counts.
// Certificates and keys that stand in the options themselves are not looked at.
TextPairs kafka_file_problems(const TextPairs& options);

// What librdkafka said when it refused to make a client, with what is wrong with the files that `conf` names.
std::string with_kafka_files(const std::string& said, const rd_kafka_conf_s& conf);

}  // namespace driftd::ingest
