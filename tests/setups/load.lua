-- SPDX-License-Identifier: MIT
-- For wrk: notifications, each of another authorisation, all with one token.

local count = 0
local seed, body = os.getenv("LOAD_SEED"), os.getenv("LOAD_BODY")
local head = {
    ["Content-Type"] = "application/json",
    ["Authorization"] = "Bearer " .. os.getenv("LOAD_TOKEN"),
    ["X-Feedgate-Key"] = os.getenv("LOAD_KEY"),
    ["Connection"] = os.getenv("LOAD_CONNECTION"),
}

function request()
    count = count + 1
    local id = string.format("%08x-0000-4000-8000-%012x", seed, count)
    return wrk.format("POST", "/notification", head, (string.gsub(body, "@", id)))
end

function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format("answers=%d status=%d connect=%d read=%d write=%d timeout=%d slowest_ms=%d",
        summary.requests, errors.status, errors.connect, errors.read, errors.write,
        errors.timeout, latency.max / 1000))
end
