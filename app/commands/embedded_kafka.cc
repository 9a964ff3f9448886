#include "app/commands/embedded_kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

namespace driftd::app {

struct EmbeddedKafka::Impl {
  rd_kafka_t* producer = nullptr;
  std::string topic;
};

EmbeddedKafka::EmbeddedKafka(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

EmbeddedKafka::~EmbeddedKafka() {
  rd_kafka_flush(impl_->producer, 1000);
  rd_kafka_destroy(impl_->producer);
}

Result<std::unique_ptr<EmbeddedKafka>> EmbeddedKafka::start(const std::string& topic, int partitions) {
  char why[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  for (const auto& [key, value] : {std::pair("test.mock.num.brokers", "1"), std::pair("linger.ms", "5")}) {
    if (rd_kafka_conf_set(conf, key, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return Error{ErrorCode::kInternal, std::string("embedded Kafka: ") + why};
    }
  }
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (producer == nullptr) {
    rd_kafka_conf_destroy(conf);
    return Error{ErrorCode::kInternal, std::string("embedded Kafka: ") + why};
  }
  auto impl = std::make_unique<Impl>();
  impl->producer = producer;
  impl->topic = topic;
  std::unique_ptr<EmbeddedKafka> kafka(new EmbeddedKafka(std::move(impl)));
  rd_kafka_mock_cluster_t* cluster = rd_kafka_handle_mock_cluster(producer);
  if (cluster == nullptr || rd_kafka_mock_topic_create(cluster, topic.c_str(), partitions, 1) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Error{ErrorCode::kInternal, "embedded Kafka: the cluster did not start"};
  }
  kafka->brokers_ = rd_kafka_mock_cluster_bootstraps(cluster);
  return kafka;
}

Status EmbeddedKafka::produce(std::string_view key, std::string_view payload) {
  for (;;) {
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        impl_->producer, RD_KAFKA_V_TOPIC(impl_->topic.c_str()), RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    rd_kafka_poll(impl_->producer, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 50 : 0);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      return Error{ErrorCode::kUnavailable, std::string("embedded Kafka: ") + rd_kafka_err2str(error)};
  }
}

Status EmbeddedKafka::flush() {
  if (rd_kafka_flush(impl_->producer, 10000) == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return Error{ErrorCode::kUnavailable, "embedded Kafka: records could not be delivered"};
}

}  // namespace driftd::app
