"""An MCP server of one tool, for tests: it opens a ticket, and shows what it was sent."""

from mcp.server.fastmcp import FastMCP

server = FastMCP("tickets", log_level="ERROR")


@server.tool()
def open_ticket(title: str, request_id: str) -> str:
    """Open a ticket."""
    return f"{title} as {request_id}"


if __name__ == "__main__":
    server.run()
