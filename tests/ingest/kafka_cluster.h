// An in-process Kafka (librdkafka's mock cluster) with a producer, for tests.
#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <string>

#include "core/time.h"

namespace driftd::ingest {

class KafkaCluster {
 public:
  explicit KafkaCluster(int size = 1) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char why[200];
    rd_kafka_conf_set(conf, "linger.ms", "1", why, sizeof why);
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    helper_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    cluster_ = rd_kafka_mock_cluster_new(helper_, size);
    rd_kafka_conf_t* producer = rd_kafka_conf_new();
    rd_kafka_conf_set(producer, "bootstrap.servers", brokers().c_str(), why, sizeof why);
    rd_kafka_conf_set(producer, "linger.ms", "1", why, sizeof why);
    rd_kafka_conf_set(producer, "log_level", "0", why, sizeof why);
    producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, producer, why, sizeof why);
  }
  KafkaCluster(const KafkaCluster&) = delete;
  KafkaCluster& operator=(const KafkaCluster&) = delete;
  ~KafkaCluster() {
    rd_kafka_destroy(producer_);
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(helper_);
  }

  std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  rd_kafka_mock_cluster_t* mock() { return cluster_; }

  void create(const std::string& topic, int partitions) {
    ASSERT_EQ(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  // Produces "<prefix>0" to "<prefix>n-1" with key "k" and timestamps of one second apart from 1 s.
  void produce(const std::string& topic, int partition, int n, const std::string& prefix = "") {
    for (int i = 0; i < n; ++i) send(topic, partition, prefix + std::to_string(i), (1 + i) * 1000);
    flush();
  }
  void flush() { ASSERT_EQ(rd_kafka_flush(producer_, 60000), RD_KAFKA_RESP_ERR_NO_ERROR); }
  // Does not wait for the broker.
  void send(const std::string& topic, int partition, const std::string& payload, std::int64_t timestamp_millis = 1000) {
    const auto error = rd_kafka_producev(producer_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                                         RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()), RD_KAFKA_V_KEY("k", 1),
                                         RD_KAFKA_V_TIMESTAMP(timestamp_millis), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    ASSERT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR);
  }

 private:
  rd_kafka_t* helper_;
  rd_kafka_mock_cluster_t* cluster_;
  rd_kafka_t* producer_;
};

}  // namespace driftd::ingest
