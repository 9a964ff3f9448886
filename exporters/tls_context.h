// The server side of TLS as a web configuration wants it, for connections that start from now on.
#pragma once

#include <memory>

#include "core/result.h"
#include "exporters/web_config.h"

namespace boost::asio::ssl {
class context;
}

namespace driftd::exporters {

// Reads the files. The Error names the key of the configuration, the file and OpenSSL's reason.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const WebConfig::Tls& tls);

}  // namespace driftd::exporters
