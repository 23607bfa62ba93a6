"""What capdesk is measured against."""
