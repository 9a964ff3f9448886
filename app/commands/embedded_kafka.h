// EmbeddedKafka: librdkafka's mock cluster in this process, with a producer; for the demo. In memory only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace driftd::app {

class EmbeddedKafka {
 public:
  static Result<std::unique_ptr<EmbeddedKafka>> start(const std::string& topic, int partitions);
  ~EmbeddedKafka();

  const std::string& brokers() const { return brokers_; }
  // Queues one record; blocks while the producer's queue is full.
  Status produce(std::string_view key, std::string_view payload);
  Status flush();

 private:
  struct Impl;
  explicit EmbeddedKafka(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  std::string brokers_;
};

}  // namespace driftd::app
