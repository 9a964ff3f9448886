#include "ingest/kafka_assignment.h"

#include <librdkafka/rdkafka.h>

#include <string_view>

#include "core/log.h"

namespace driftd::ingest {
namespace {

rd_kafka_error_t* as_error(rd_kafka_resp_err_t e) {
  return e == RD_KAFKA_RESP_ERR_NO_ERROR ? nullptr : rd_kafka_error_new(e, "%s", rd_kafka_err2str(e));
}

}  // namespace

bool KafkaAssignment::cooperative() const {
  const char* protocol = rd_kafka_rebalance_protocol(client_);
  return protocol != nullptr && std::string_view(protocol) == "COOPERATIVE";
}

void KafkaAssignment::add(const rd_kafka_topic_partition_list_s& list) {
  checked("assign", cooperative() ? rd_kafka_incremental_assign(client_, &list) : as_error(rd_kafka_assign(client_, &list)));
}

void KafkaAssignment::remove(const rd_kafka_topic_partition_list_s& list) {
  checked("unassign", cooperative() ? rd_kafka_incremental_unassign(client_, &list) : as_error(rd_kafka_assign(client_, nullptr)));
}

void KafkaAssignment::restart(const rd_kafka_topic_partition_list_s& list, const rd_kafka_topic_partition_list_s& all) {
  if (cooperative()) {
    checked("unassign", rd_kafka_incremental_unassign(client_, &list));
    return checked("assign", rd_kafka_incremental_assign(client_, &list));
  }
  checked("assign", as_error(rd_kafka_assign(client_, &all)));
}

void KafkaAssignment::checked(const char* what, rd_kafka_error_s* error) {
  if (error == nullptr) return;
  log::warning("kafka: partitions not changed", {{"stream", stream_}, {"step", what}, {"why", rd_kafka_error_string(error)}});
  rd_kafka_error_destroy(error);
}

}  // namespace driftd::ingest
