// WebhookSender: posts one signed event to one URL. Shared by the notifiers that are webhooks.
#pragma once

#include <string>
#include <vector>

#include "alerts/notifier.h"
#include "core/clock.h"
#include "core/params.h"

namespace driftd::alerts {

// url, url_file, secret_file, ca_file.
std::vector<ParamSpec> webhook_params();

class WebhookSender {
 public:
  // kInvalidArgument on a URL that cannot be one, and unless there is one of url and url_file. Secret files and url_file are read at each
  // attempt, so that a changed secret needs no restart; one that cannot be read then is a reason to try again later.
  static Result<WebhookSender> make(const Params& params, const NotifierContext& context);

  Delivery post(const std::string& id, const std::string& body, Deadline deadline) const;

 private:
  Result<std::string> url() const;

  std::string url_, url_file_;  // one of them
  std::vector<std::string> secret_files_;
  std::string ca_file_;
  const Clock* clock_ = nullptr;
  Targets targets_;
  StopFlag stop_;
};

}  // namespace driftd::alerts
