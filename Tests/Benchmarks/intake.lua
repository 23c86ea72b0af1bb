-- wrk sends requests that were written down before: one file a thread, whole requests of the same length.
-- REQUESTS is the files' name without the thread's number, LENGTH that of a request; ACKED, if set, is the name of the
-- files that the ids of acknowledged deliveries go to.
local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init()
    file = assert(io.open(os.getenv("REQUESTS") .. number, "rb"))
    file:setvbuf("full", 1048576)
    length = tonumber(os.getenv("LENGTH"))
    local name = os.getenv("ACKED")
    if name then
        acked = assert(io.open(name .. number, "w"))
        acked:setvbuf("no")
        response = function(status, _, body)
            if status == 202 then acked:write(body:match('"delivery":"(%x+)"') or "unreadable", "\n") end
        end
    end
end

-- At the file's end the load is over: an empty request would be none. While what was acknowledged is noted the server is
-- killed, and wrk asks for a request at every connection that it tries in vain: those may come again.
function request()
    local bytes = file:read(length)
    if not bytes and acked then
        file:seek("set")
        bytes = file:read(length)
    end
    if not bytes then error("the prepared requests are used up; prepare more") end
    return bytes
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
