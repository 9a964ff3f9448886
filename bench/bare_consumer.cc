// The limit that driftd's Kafka source is measured against: a librdkafka consumer that takes
// batches, adds up the bytes and does nothing else. Prints one line: records, bytes, seconds from
// the first batch to the last, the records of that first batch, and its own processor seconds.
//
//   bench_bare_consumer BROKERS TOPIC RECORDS
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kBatch = 8192;  // as driftd's source
constexpr int kWaitMillis = 50;
constexpr int kGiveUpAfter = 1200;  // waits without a record

rd_kafka_t* make_consumer(const char* brokers) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::array<char, 512> why{};
  // Queues and fetching are librdkafka's defaults: the limit is what it does when left alone.
  const std::vector<std::pair<const char*, std::string>> options = {
      {"bootstrap.servers", brokers},
      {"group.id", "bench-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count())},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "earliest"},
      {"partition.assignment.strategy", "cooperative-sticky"},
      {"isolation.level", "read_committed"},
      {"check.crcs", "true"}};
  for (const auto& [key, value] : options) {
    if (rd_kafka_conf_set(conf, key, value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK) {
      std::fprintf(stderr, "%s\n", why.data());
      std::exit(1);
    }
  }
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why.data(), why.size());
  if (client == nullptr) {
    std::fprintf(stderr, "%s\n", why.data());
    std::exit(1);
  }
  rd_kafka_poll_set_consumer(client);
  return client;
}

double cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
         static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_bare_consumer BROKERS TOPIC RECORDS\n");
    return 2;
  }
  const long long wanted = std::atoll(argv[3]);
  rd_kafka_t* client = make_consumer(argv[1]);
  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, argv[2], RD_KAFKA_PARTITION_UA);
  if (rd_kafka_subscribe(client, topics) != RD_KAFKA_RESP_ERR_NO_ERROR) return 1;
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(client);
  std::vector<rd_kafka_message_t*> messages(kBatch);
  long long records = 0, bytes = 0, first = 0;
  int idle = 0;
  std::chrono::steady_clock::time_point begin, end;
  while (records < wanted && idle < kGiveUpAfter) {
    const ssize_t n = rd_kafka_consume_batch_queue(queue, kWaitMillis, messages.data(), kBatch);
    for (ssize_t i = 0; i < n; ++i) {
      rd_kafka_message_t* message = messages[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++records;
        bytes += static_cast<long long>(message->len);
      }
      rd_kafka_message_destroy(message);
    }
    end = std::chrono::steady_clock::now();
    idle = n > 0 ? 0 : idle + 1;
    if (first == 0 && records > 0) {
      first = records;
      begin = end;
    }
  }
  if (records != wanted) {
    std::fprintf(stderr, "read %lld of %lld records\n", records, wanted);
    return 1;
  }
  std::printf("%lld %lld %.6f %lld %.3f\n", records, bytes, std::chrono::duration<double>(end - begin).count(), first, cpu_seconds());
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_partition_list_destroy(topics);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return 0;
}
